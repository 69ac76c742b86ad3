/**
 * Products by weight type and number of tokens: bytes of weights read per second at one token, where memory is the
 * limit, and operations at 128 and 512 tokens, where arithmetic is.
 *
 *     node scripts/bench.mjs kernels [q8_0 bf16 ...] [--rounds 5] [--kernels native|wasm] [--threads 2] [--keep]
 */
import { memorySource } from '../src/checkpoint/source/memory-source.ts'
import type { Kernels } from '../src/kernels/contract/kernels.ts'
import type { WeightSource } from '../src/kernels/contract/weights.ts'
import { createNativeKernels } from '../src/kernels/core/node/addon.ts'
import { createWasmKernels } from '../src/kernels/core/node/wasm.ts'
import { WEIGHT_TYPES, type WeightType, weightBytes } from '../src/tensor/dtype.ts'
import { type Tensor, tensorAt } from '../src/tensor/tensor.ts'
import { measureLimit, measureLimits } from './roofline/peaks.ts'
import { benchOptions } from './support/options.ts'
import { mustBe, printJson, printTable, show, spread } from './support/report.ts'

const TYPES: readonly WeightType[] = ['f32', 'f16', 'bf16', 'e4m3', 'q8_0', 'q4_0', 'q4_1', 'q5_0', 'q4_k', 'q6_k']
const TOKENS = [1, 128, 512]
const COLS = 2048
/** A matrix of one token's product is larger than the caches. */
const ONE_TOKEN_BYTES = 128 << 20
const PROMPT_ROWS = 5632
const EXPERTS = 64
const ACTIVE = 6
const HEADS = { count: 16, nope: 128, latent: 512 }
const REPEATS = 3

const { given, rounds, threads, kernels: kind, keep } = benchOptions()
const types = given.length > 0 ? given.map(name => typeNamed(name)) : TYPES
const limits = await measureLimits(kind, threads)
const f32Peak = (await measureLimit(kind, 'f32', threads))?.at(-1) ?? null
const results: Record<string, unknown>[] = []
const table = [
  ['product', 'type', 'tokens', 'ms', 'weights, GB/s', 'G operations/s', 'of reading', 'of the f32 / int8 peak'],
]

for (const type of types) {
  for (const tokens of TOKENS) {
    const rows = tokens === 1 ? Math.floor(ONE_TOKEN_BYTES / weightBytes(type, 1, COLS) / 16) * 16 : PROMPT_ROWS
    await bench('matmul', type, tokens, rows * COLS, async k => {
      const w = await k.prepare(made(type, rows, COLS))
      const [x, y] = [filled(k, [tokens, COLS]), k.memory.alloc('f32', [tokens, rows])]
      return { record: () => k.matmul(y, x, w), y }
    })
    await bench('expertMatmul', type, tokens, Math.min(EXPERTS, tokens * ACTIVE) * 1408 * COLS, async k => {
      const expert = made(type, 1408, COLS)
      const w = await k.prepareExperts(Array.from({ length: EXPERTS }, () => expert))
      const count = tokens * ACTIVE
      const indices = k.memory.alloc('i32', [tokens, ACTIVE])
      k.memory.upload(
        indices,
        Int32Array.from({ length: count }, (_, i) => (i * 7) % EXPERTS),
      )
      const plan = k.memory.alloc('i32', [EXPERTS + 1 + 2 * count])
      k.groupByExpert(plan, indices, EXPERTS)
      const [x, y] = [filled(k, [tokens, COLS]), k.memory.alloc('f32', [count, 1408])]
      return { record: () => k.expertMatmul(y, x, w, plan, true), y, operations: 2 * count * 1408 * COLS }
    })
    const { count: H, nope: N, latent: C } = HEADS
    await bench('headMatmul', type, tokens, H * N * C, async k => {
      const w = await k.prepare(made(type, H * N, C))
      const [x, y] = [filled(k, [tokens, H, C]), k.memory.alloc('f32', [tokens, H, N])]
      return { record: () => k.headMatmul(y, x, w, { headRows: N, firstRow: 0, rows: N, transposed: false }), y }
    })
  }
}
printTable(table)
printJson('kernels', { kernels: kind, threads, limits, f32Peak, results }, keep)

interface Product {
  readonly record: () => void
  readonly y: Tensor
  /** Default: of `tokens` products with all weights. */
  readonly operations?: number
}

async function bench(
  name: string,
  type: WeightType,
  tokens: number,
  weights: number,
  make: (k: Kernels) => Promise<Product>,
): Promise<void> {
  const k = kind === 'native' ? await createNativeKernels({ threads }) : await createWasmKernels({ threads })
  const { record, y, operations = 2 * tokens * weights } = await make(k)
  const run = async () => {
    const start = performance.now()
    for (let i = 0; i < REPEATS; i++) record()
    await k.submit()
    return (performance.now() - start) / REPEATS
  }
  const first = await checked(k, run, y)
  const seconds = spread([first, ...(await many(run))].slice(1).map(ms => ms / 1000))
  const bytes = (weights * WEIGHT_TYPES[type].bytes) / WEIGHT_TYPES[type].elements
  const [read, rate] = [bytes / seconds.median, operations / seconds.median]
  results.push({ product: name, type, tokens, seconds, bytesPerSecond: read, operationsPerSecond: rate })
  // A token's experts and heads are small enough to stay in the caches.
  const fromMemory = tokens === 1 && name === 'matmul'
  const share = (value: number, peak: number | null | undefined) =>
    peak ? `${((100 * value) / peak).toFixed(0)} %` : '-'
  table.push([
    ...[name, type, String(tokens), show(scaled(seconds, 1000))],
    ...[(read / 1e9).toFixed(1), (rate / 1e9).toFixed(0), fromMemory ? share(read, limits?.bytesPerSecond) : ''],
    tokens === 1 ? '' : `${share(rate, f32Peak)} / ${share(rate, limits?.int8PerSecond)}`,
  ])
  k.dispose()
}

/** Every byte of a weight is the same, so every row's result is: what differs is wrong. */
async function checked(k: Kernels, run: () => Promise<number>, y: Tensor): Promise<number> {
  const ms = await run()
  const values = (await k.memory.read(tensorAt(y.address, 'f32', [16]))) as Float32Array
  mustBe(`results are ${values.slice(0, 3)}`, Number.isFinite(values[0]) && values.every(v => v === values[0]))
  return ms
}

async function many(run: () => Promise<number>): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < rounds + 1; i++) times.push(await run())
  return times
}

/** 0x3c in every byte is an ordinary number in every type. */
function made(dtype: WeightType, rows: number, cols: number): WeightSource {
  const bytes = new Uint8Array(weightBytes(dtype, rows, cols)).fill(0x3c)
  const range = (data: Uint8Array) => ({ source: memorySource('made up', data), offset: 0, length: data.length })
  const scale = new Uint8Array(new Float32Array(Math.ceil(rows / 128) * Math.ceil(cols / 128)).fill(1).buffer)
  const scales = dtype === 'e4m3' && { bytes: range(scale), blockRows: 128, blockCols: 128 }
  return { name: 'made up', dtype, rows, cols, bytes: range(bytes), ...(scales && { scales }) }
}

function filled(k: Kernels, shape: number[]): Tensor {
  const tensor = k.memory.alloc('f32', shape)
  k.memory.upload(tensor, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5))
  return tensor
}

function scaled({ median, low, high }: ReturnType<typeof spread>, by: number) {
  return { median: by * median, low: by * low, high: by * high }
}

function typeNamed(name: string): WeightType {
  if (!Object.hasOwn(WEIGHT_TYPES, name)) throw new Error(`${name} is none of ${Object.keys(WEIGHT_TYPES).join(', ')}`)
  return name as WeightType
}
