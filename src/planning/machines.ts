/** Machines as their makers describe them: peaks that nothing reaches, which is what makes a bound of them. */
import { OptionError } from '../errors.ts'

/** A device: its memory and speed. */
export interface Machine {
  /** Short name, as `machineNamed` takes it. */
  readonly name: string
  /** For people. */
  readonly title: string
  /** Bytes of one device's memory; null: unknown. */
  readonly memoryBytes: number | null
  /** Bytes read per second. */
  readonly bandwidth: number
  /** Dense FLOP/s on 16-bit numbers (f32 where there is no faster type); null: unknown. */
  readonly flops: number | null
  /** The same on 8-bit floats, where there are such units. */
  readonly flops8?: number
  /** Of a machine that was measured instead of described: makes an estimate of the bound. */
  readonly measured?: {
    /** FLOP/s of attention over a cache, reading it included. */
    readonly attentionFlops: number
    /** Seconds of each layer's attention, however short the cache. */
    readonly attentionSeconds: number
    /** Seconds of each small operation (norms, rope, cache rows). */
    readonly operationSeconds: number
    /** Seconds that every step takes whatever it holds. */
    readonly stepSeconds: number
  }
  /** Where the figures are from. */
  readonly source: string
}

type Row = readonly [
  name: string,
  title: string,
  gigabytes: number | null,
  gbPerSecond: number,
  teraflops: number | null,
  teraflops8: number | null,
  source: string,
]

/** GB and TB/s are the makers' powers of ten; TFLOP/s without sparsity. */
const ROWS: readonly Row[] = [
  ['h100', 'NVIDIA H100 SXM', 80, 3350, 989, 1979, 'NVIDIA H100 datasheet'],
  ['h100-pcie', 'NVIDIA H100 PCIe', 80, 2000, 756, 1513, 'NVIDIA H100 datasheet, 2023'],
  ['h800', 'NVIDIA H800 SXM', 80, 3350, 989, 1979, 'DeepSeek-V3 and FlashMLA reports: an H100 with slower links'],
  ['h200', 'NVIDIA H200 SXM', 141, 4800, 989, 1979, 'NVIDIA H200 datasheet'],
  ['h20', 'NVIDIA H20', 96, 4000, 148, 296, 'NVIDIA H20 specification'],
  ['b200', 'NVIDIA B200', 180, 8000, 2250, 4500, 'NVIDIA DGX B200 datasheet, per GPU'],
  ['a100', 'NVIDIA A100 SXM 80GB', 80, 2039, 312, null, 'NVIDIA A100 datasheet'],
  ['a100-40', 'NVIDIA A100 SXM 40GB', 40, 1555, 312, null, 'NVIDIA A100 datasheet'],
  ['l40s', 'NVIDIA L40S', 48, 864, 362, 733, 'NVIDIA L40S datasheet'],
  ['rtx4090', 'NVIDIA GeForce RTX 4090', 24, 1008, 165, 330, 'NVIDIA Ada architecture paper'],
  ['rtx3090', 'NVIDIA GeForce RTX 3090', 24, 936, 71, null, 'NVIDIA Ampere GA102 architecture paper'],
  ['mi300x', 'AMD Instinct MI300X', 192, 5300, 1307, 2615, 'AMD Instinct MI300X datasheet'],
  ['m2-ultra', 'Apple M2 Ultra', 192, 800, null, null, 'Apple, Mac Studio specifications'],
  ['m3-ultra', 'Apple M3 Ultra', 512, 819, null, null, 'Apple, Mac Studio specifications'],
  ['m4-max', 'Apple M4 Max', 128, 546, null, null, 'Apple, MacBook Pro specifications'],
  [
    'zen4-2core',
    '2 cores of AMD Zen 4, measured',
    null,
    30,
    0.465,
    null,
    'our probe bench/roofline.cpp: two threads, bf16',
  ],
  [
    'icelake-2core',
    '2 cores of Intel Ice Lake, measured',
    null,
    22,
    0.313,
    null,
    'our probe bench/roofline.cpp: two threads, f32',
  ],
]

/** The table of described machines. */
export function machines(): readonly Machine[] {
  return ROWS.map(([name, title, gigabytes, gbPerSecond, teraflops, teraflops8, source]) => ({
    name,
    title,
    memoryBytes: gigabytes === null ? null : gigabytes * 1e9,
    bandwidth: gbPerSecond * 1e9,
    flops: teraflops === null ? null : Math.round(teraflops * 1e12),
    ...(teraflops8 !== null && { flops8: Math.round(teraflops8 * 1e12) }),
    source,
  }))
}

/** The machine of that name in the table; case, spaces, `-` and `_` do not matter. Throws OptionError for others. */
export function machineNamed(name: string): Machine {
  const wanted = plain(name)
  const machine = machines().find(m => plain(m.name) === wanted)
  if (machine) return machine
  const names = ROWS.map(r => r[0]).join(', ')
  throw new OptionError(
    `There is no machine ${JSON.stringify(name.slice(0, 60))} in the table; there are ${names}, and measured.`,
  )
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '')
}
