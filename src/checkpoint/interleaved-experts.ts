/**
 * gpt-oss's experts as separate matrices under the names that others give them. Its files have all experts of a layer in one tensor, the rows
 * of gate and up by turns: in MXFP4 as blocks with their scales beside them, [E, rows, cols / 32, 16] and [E, rows, cols / 32], or as floats
 * [E, cols, rows]. All have biases, [E, rows].
 */
import { CheckpointError } from '../errors.ts'
import { WEIGHT_TYPES, type WeightType } from '../tensor/dtype.ts'
import { quote } from './quote.ts'
import { lazyMatrix } from './recode/lazy-matrix.ts'
import { type StoredType, type TensorEntry, weightTypeOf } from './tensor-entry.ts'

const BIAS = /^(.*\.mlp\.experts\.)(gate_up_proj|down_proj)_bias$/
/** Numbers that share a scale, and the bytes of their codes. */
const BLOCK = 32
const CODES = BLOCK / 2
/** Bytes of stored rows read at a time. */
const CHUNK = 4 << 20

/** One of the modules that a tensor holds: those of its rows that are `first`, `first + every`, … */
interface Part {
  readonly name: string
  readonly first: number
  readonly every: number
}

const PARTS: Readonly<Record<string, readonly Part[]>> = {
  gate_up_proj: [
    { name: 'gate_proj', first: 0, every: 2 },
    { name: 'up_proj', first: 1, every: 2 },
  ],
  down_proj: [{ name: 'down_proj', first: 0, every: 1 }],
}

/** The tensors with such experts cut; the others as they are. Biases become `experts.gate_proj.bias` [E, rows]. Throws CheckpointError. */
export function cutInterleavedExperts(tensors: ReadonlyMap<string, TensorEntry>): ReadonlyMap<string, TensorEntry> {
  const biases = [...tensors.values()].filter(({ name, shape }) => BIAS.test(name) && shape.length === 2)
  if (biases.length === 0) return tensors
  const made = new Map(tensors)
  for (const bias of biases) {
    const [, before, module] = BIAS.exec(bias.name) as unknown as [string, string, string]
    const stack = before + module
    const parts = PARTS[module] as readonly Part[]
    if ((bias.shape[1] as number) % parts.length !== 0) {
      throw new CheckpointError(
        `Tensor ${quote(bias.name)} has ${bias.shape[1]} columns; expected those of gate and up by turns`,
      )
    }
    made.delete(bias.name)
    for (const part of parts) add(made, biasOf(bias, `${before}${part.name}.bias`, part))
    const [blocks, scales, floats] = [`${stack}_blocks`, `${stack}_scales`, stack].map(name => tensors.get(name))
    for (const one of [blocks, scales, floats]) if (one) made.delete(one.name)
    const cut = blocks && scales ? fromBlocks(blocks, scales, bias) : floats && fromFloats(floats, bias)
    if (!cut) {
      throw new CheckpointError(
        `Tensor ${quote(stack)} is missing, or ${quote(`${stack}_blocks`)} and ${quote(`${stack}_scales`)}`,
      )
    }
    const experts = bias.shape[0] as number
    for (let e = 0; e < experts; e++) {
      for (const part of parts) add(made, cut(`${before}${e}.${part.name}.weight`, e, part))
    }
  }
  return made
}

function add(to: Map<string, TensorEntry>, entry: TensorEntry): void {
  to.set(entry.name, entry)
}

type Cut = (name: string, expert: number, part: Part) => TensorEntry

function biasOf(bias: TensorEntry, name: string, { first, every }: Part): TensorEntry {
  if (every === 1) return { ...bias, name }
  const [experts, rows] = bias.shape as [number, number]
  const { type, size } = floatOf(bias)
  return lazy(bias, name, type, [experts, rows / every], async (start, count) => {
    const stored = await readAt(bias, start * rows * size, count * rows * size)
    return gathered(stored, size, count, rows / every, (e, r) => e * rows + r * every + first)
  })
}

/** MXFP4 as GGUF has it: the scale, then 16 bytes whose low halves are the first 16 codes. */
function fromBlocks(blocks: TensorEntry, scales: TensorEntry, bias: TensorEntry): Cut {
  const [experts, rows, groups] = blocks.shape as [number, number, number]
  expectShape(blocks, [bias.shape[0] as number, bias.shape[1] as number, groups, CODES])
  expectShape(scales, [experts, rows, groups])
  for (const { name, dtype } of [blocks, scales]) {
    if (dtype !== 'U8')
      throw new CheckpointError(`Tensor ${quote(name)} is ${dtype}; expected U8, the codes and scales of MXFP4`)
  }
  return (name, e, { first, every }) => {
    return lazy(blocks, name, 'mxfp4', [rows / every, groups * BLOCK], async (start, count) => {
      const [row, n] = [e * rows + start * every, count * every]
      const codes = await readAt(blocks, row * groups * CODES, n * groups * CODES)
      const exponents = await readAt(scales, row * groups, n * groups)
      const made = new Uint8Array(count * groups * (1 + CODES))
      for (let r = 0, to = 0; r < count; r++) {
        const row = (r * every + first) * groups
        for (let g = row; g < row + groups; g++) {
          made[to++] = exponents[g] as number
          const code = (i: number) => ((codes[g * CODES + (i >> 1)] as number) >> (4 * (i & 1))) & 15
          for (let i = 0; i < CODES; i++) made[to++] = code(i) | (code(i + CODES) << 4)
        }
      }
      return made
    })
  }
}

/** Stored [E, cols, rows]. */
function fromFloats(floats: TensorEntry, bias: TensorEntry): Cut {
  const [, cols] = floats.shape as [number, number]
  const rows = bias.shape[1] as number
  expectShape(floats, [bias.shape[0] as number, cols, rows])
  const { type, size } = floatOf(floats)
  const each = Math.max(1, Math.floor(CHUNK / (rows * size)))
  return (name, e, { first, every }) =>
    lazy(floats, name, type, [rows / every, cols], async (start, count) => {
      const made = new Uint8Array(count * cols * size)
      for (let c = 0; c < cols; c += each) {
        const n = Math.min(each, cols - c)
        const stored = await readAt(floats, (e * cols + c) * rows * size, n * rows * size)
        const part = gathered(stored, size, count, n, (r, k) => k * rows + (start + r) * every + first)
        for (let r = 0; r < count; r++) made.set(part.subarray(r * n * size, (r + 1) * n * size), (r * cols + c) * size)
      }
      return made
    })
}

/** Numbers of `size` bytes, [rows, cols], each from its place in `stored`. */
function gathered(
  stored: Uint8Array,
  size: number,
  rows: number,
  cols: number,
  at: (row: number, col: number) => number,
): Uint8Array {
  const made = new Uint8Array(rows * cols * size)
  for (let r = 0, to = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      const from = at(r, c) * size
      for (let b = 0; b < size; b++) made[to++] = stored[from + b] as number
    }
  }
  return made
}

function readAt({ bytes }: TensorEntry, offset: number, length: number): Promise<Uint8Array> {
  return bytes.source.read(bytes.offset + offset, length)
}

function lazy(
  from: TensorEntry,
  name: string,
  dtype: WeightType,
  [rows, cols]: readonly [number, number],
  compute: (start: number, count: number) => Promise<Uint8Array>,
): TensorEntry {
  const { bytes } = lazyMatrix({ name, dtype, rows, cols }, from.bytes.source.name, compute)
  return { name, dtype: dtype.toUpperCase() as StoredType, shape: [rows, cols], bytes }
}

function floatOf({ name, dtype }: TensorEntry): { readonly type: WeightType; readonly size: number } {
  const type = weightTypeOf(dtype)
  if (type === 'f32' || type === 'f16' || type === 'bf16') return { type, size: WEIGHT_TYPES[type].bytes }
  throw new CheckpointError(`Tensor ${quote(name)} is ${dtype}; expected F32, F16 or BF16`)
}

function expectShape({ name, shape }: TensorEntry, expected: readonly number[]): void {
  if (shape.length === expected.length && shape.every((d, i) => d === expected[i])) return
  throw new CheckpointError(`Tensor ${quote(name)} has shape [${shape.join(', ')}]; expected [${expected.join(', ')}]`)
}
