import { OptionError } from '../../errors.ts'
import type { AttentionShape } from '../../families/descriptor.ts'
import type { AttentionArgs } from '../../kernels/contract/attention-args.ts'
import { type RowSlice, SEQUENCE_FIELDS } from '../../kernels/contract/cached-rows.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import type { Tensor, TypedArray } from '../../tensor/tensor.ts'
import { multipliesPerPair } from '../costs.ts'
import { layerCount, type PlanModel } from '../plan-model.ts'
import { secondsOf } from './timing.ts'

const BLOCK_TOKENS = 64
/** Keys of the short and the long run: what does not grow with the keys cancels out. */
const KEYS = [16, 1040] as const
/** Bytes that no cache of a processor holds. */
const BEYOND_CACHES = 128 << 20

export interface AttentionRate {
  readonly flops: number
  /** Seconds of one layer's attention however short the cache. */
  readonly each: number
}

/**
 * FLOP/s of attention when one token looks at an f16 cache like this model's. Between two looks at a layer's cache the
 * weights of all layers pass by: as many caches take turns as push each other out of the processor's caches like that.
 */
export async function attentionRate(kernels: Kernels, model: PlanModel, weightBytes: number): Promise<AttentionRate> {
  const shape = model.layers.map(l => l.attention).find(a => a.kind !== 'state')
  if (!shape) throw new OptionError(`${model.name} has no layer that attends; a machine is measured on one that does`)
  const between = Math.min(BEYOND_CACHES, weightBytes)
  const layers = Math.max(layerCount(model.layers), Math.ceil(between / (KEYS[1] * rowBytes(shape))))
  const [short, long] = [await attend(kernels, shape, layers, KEYS[0]), await attend(kernels, shape, layers, KEYS[1])]
  const perKey = 2 * multipliesPerPair(shape, 'absorbed') * layers
  // Noise may make the short run look longer; then the long run alone is the measure.
  const perSecond = (perKey * (KEYS[1] - KEYS[0])) / (long - short)
  const flops = long > short ? perSecond : (perKey * KEYS[1]) / long
  return { flops, each: Math.max(0, short - (perKey * KEYS[0]) / flops) / layers }
}

async function attend(kernels: Kernels, shape: AttentionShape, layers: number, keys: number): Promise<number> {
  const ends: (() => void)[] = []
  const calls = Array.from({ length: layers }, () => attentionCall(kernels, shape, keys, ends))
  const seconds = await secondsOf(kernels, () => {
    for (const call of calls) kernels.attention(call)
  })
  for (const end of ends) end()
  return seconds
}

/** Adds to `ends` what frees its memory. */
function attentionCall(kernels: Kernels, a: AttentionShape, keys: number, ends: (() => void)[]): AttentionArgs {
  const make = (dtype: 'f32' | 'i32', shape: readonly number[], data: TypedArray): Tensor => {
    const t = kernels.memory.alloc(dtype, shape)
    ends.push(() => kernels.memory.free(t))
    kernels.memory.upload(t, data)
    return t
  }
  const bytes = BLOCK_TOKENS * rowBytes(a)
  // 0x2c2c is 0.065 in f16.
  const filling = new Uint8Array(bytes).fill(0x2c)
  const ids = Int32Array.from({ length: Math.ceil(keys / BLOCK_TOKENS) }, () => {
    const block = kernels.memory.allocBlock(bytes)
    ends.push(() => kernels.memory.freeBlock(block))
    kernels.memory.upload(block.memory, filling)
    return block.id
  })
  const sequences = {
    rows: make('i32', [1, SEQUENCE_FIELDS], Int32Array.of(0, 1, keys - 1, 0, keys, 0)),
    tables: make('i32', [ids.length], ids),
  }
  const { keyParts, values, keyWidth, valueWidth } = slicesOf(a)
  const q = make('f32', [1, a.nHeads, keyWidth], new Float32Array(a.nHeads * keyWidth).fill(0.1))
  const out = make('f32', [1, a.nHeads, valueWidth], new Float32Array(a.nHeads * valueWidth))
  return { out, q, keys: keyParts, values, sequences, scale: 0.05 }
}

function slicesOf(a: AttentionShape) {
  const rows = (before: number, rowBytes: number) => ({
    blockTokens: BLOCK_TOKENS,
    layerOffset: BLOCK_TOKENS * before,
    rowBytes,
  })
  if (a.kind === 'latent') {
    const [c, r] = [a.kvLoraRank, a.qkRopeHeadDim]
    const one = { rows: rows(0, rowBytes(a)), dtype: 'f16', heads: 1 } as const
    const latent: RowSlice = { ...one, offset: 0, width: c, headStride: c }
    const rope: RowSlice = { ...one, offset: 2 * c, width: r, headStride: r }
    return { keyParts: [latent, rope], values: latent, keyWidth: c + r, valueWidth: c }
  }
  // As in `cache/layout.ts`: a plane for each head's keys, and for its values.
  const planes = (before: number, width: number): RowSlice => {
    const headStride = BLOCK_TOKENS * width
    return { rows: rows(before, 2 * width), dtype: 'f16', offset: 0, heads: a.nKvHeads, width, headStride }
  }
  const key = planes(0, a.keyDim)
  const value = planes(2 * a.nKvHeads * a.keyDim, a.valueDim)
  return { keyParts: [key], values: value, keyWidth: a.keyDim, valueWidth: a.valueDim }
}

function rowBytes(a: AttentionShape): number {
  return 2 * (a.kind === 'latent' ? a.kvLoraRank + a.qkRopeHeadDim : a.nKvHeads * (a.keyDim + a.valueDim))
}
