/** Attention of one head and some of its queries, from the calls that a layer makes. */
import type { AttentionArgs } from '../kernels/contract/attention-args.ts'
import { type RowSlice, SEQUENCE_FIELDS } from '../kernels/contract/cached-rows.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import { upProjectValues } from '../nn/attention/mla-up.ts'
import { DTYPE_BYTES } from '../tensor/dtype.ts'
import { rowsOf, type Tensor, view } from '../tensor/tensor.ts'
import type { Span } from './questions.ts'
import type { CallPath, HeadGate, WatchedCall, WatchedLayer } from './watched-layer.ts'

/** Takes memory that is given back when the work is done. */
export type Take = (shape: readonly number[], dtype?: 'f32' | 'i32') => Tensor

export async function withMemory<T>(kernels: Kernels, work: (take: Take) => Promise<T>): Promise<T> {
  const taken: Tensor[] = []
  try {
    return await work((shape, dtype = 'f32') => {
      const t = kernels.memory.alloc(dtype, shape)
      taken.push(t)
      return t
    })
  } finally {
    for (const t of taken) kernels.memory.free(t)
  }
}

/** Calls over the keys of the same queries, one behind the other, cut to from .. to of their queries. */
export interface Chain {
  readonly calls: readonly WatchedCall[]
  readonly path: CallPath
  readonly from: number
  readonly to: number
}

/** The chains that queries from .. to belong to. */
export function chainsOf({ calls }: Pick<WatchedLayer, 'calls'>, [from, to]: Span): Chain[] {
  const chains: WatchedCall[][] = []
  for (const call of calls) {
    if (call.args.carry) chains.at(-1)?.push(call)
    else chains.push([call])
  }
  return chains.flatMap(calls => {
    const { first, count, path } = calls[0] as WatchedCall
    const [a, b] = [Math.max(from, first), Math.min(to, first + count)]
    return a < b ? [{ calls, path, from: a, to: b }] : []
  })
}

/** Records a chain's calls for one head and the queries from .. to. scores: f32 [1, to - from, keys]. */
export function recordHead(
  kernels: Kernels,
  take: Take,
  calls: readonly WatchedCall[],
  head: number,
  [from, to]: Span,
  scores?: Tensor,
): { readonly out: Tensor; readonly lse: Tensor } {
  const n = to - from
  const { first, args } = calls[0] as WatchedCall
  const out = take([n, 1, args.values.width])
  const lse = take([n, 1])
  for (const call of calls) {
    const numbers = sequencesOf(call, from - first, n)
    const rows = take([numbers.length / SEQUENCE_FIELDS, SEQUENCE_FIELDS], 'i32')
    kernels.memory.upload(rows, numbers)
    const own = headOf(call.args, head, from - first, n)
    kernels.attention({ ...own, sequences: { rows }, out, lse, ...(scores && { scores, scoresStart: 0 }) })
  }
  return { out, lse }
}

/** Rows of `Sequences` for queries start .. start + n of a call: one for all, or one for each where they gather their keys. */
function sequencesOf({ args, position, keyStart, keyCount }: WatchedCall, start: number, n: number): Int32Array {
  const at = position + start
  if (!args.selected?.gather) return Int32Array.of(0, n, at, keyStart, keyCount, 0)
  const seen = (i: number) => Math.min(keyCount, at + i + 1 - keyStart)
  return Int32Array.from(Array.from({ length: n }, (_, i) => [i, 1, at + i, keyStart, seen(i), 0]).flat())
}

/** What a head found for its queries from .. to: f32 [to - from, V]. `gated`: as it is projected, behind the gate of a layer that has one. */
export async function headOutputs(
  kernels: Kernels,
  layer: WatchedLayer,
  head: number,
  span: Span,
  gated: boolean,
  pause: () => Promise<void>,
): Promise<Float32Array> {
  return withMemory(kernels, async take => {
    const { attention: c, up, gate } = layer
    const V = c.kind === 'latent' ? c.vHeadDim : c.headDim
    const n = span[1] - span[0]
    const outputs = take([n, V])
    for (const { calls, path, from, to } of chainsOf(layer, span)) {
      const { out } = recordHead(kernels, take, calls, head, [from, to])
      const rows = rowsOf(outputs, from - span[0], to - from)
      if (path === 'absorbed' && c.kind === 'latent' && up) {
        const raised = take([to - from, c.nHeads, V])
        const alike = view(out, 0, [to - from, c.nHeads, c.kvLoraRank], [c.kvLoraRank, 0, 1])
        upProjectValues(kernels, raised, alike, up, c)
        kernels.copy(rows, headView(raised, head))
      } else kernels.copy(rows, headView(out, 0))
    }
    if (gated && gate) recordGate(kernels, gate, head, span[0], outputs)
    await kernels.submit(pause)
    return (await kernels.memory.read(outputs)) as Float32Array
  })
}

/** Multiplies what a head found for queries from `start` on, x [n, V], by its gate. */
export function recordGate(
  kernels: Kernels,
  { by, activation }: HeadGate,
  head: number,
  start: number,
  x: Tensor,
): void {
  const [n, V] = x.shape as [number, number]
  const [row, apart, ...within] = by.strides as [number, number, ...number[]]
  const gates = view(by, start * row + head * apart, [n, ...by.shape.slice(2)], [row, ...within])
  const found = view(x, 0, gates.shape, within.length > 1 ? [V, 1, 1] : [V, 1])
  kernels.gate(found, gates, found, activation)
}

/** Vectors of one head: [T, H, n] -> [T, n]. */
export function headView(t: Tensor, head: number): Tensor {
  const [T, , n] = t.shape as [number, number, number]
  const [row, apart] = t.strides as [number, number, number]
  return view(t, head * apart, [T, n], [row, 1])
}

/** Which of `heads` vectors query head `head` of H reads. */
export function sharedHead(head: number, heads: number, H: number): number {
  return Math.floor((head * heads) / H)
}

/** A call for one head and some of its queries. */
function headOf(
  { q, keys, values, scale, factors, window, carry, sinkLogits, bias, biasStart, selected }: AttentionArgs,
  head: number,
  start: number,
  count: number,
): Omit<AttentionArgs, 'out' | 'lse' | 'sequences' | 'scores' | 'scoresStart'> {
  const [, H, width] = q.shape as [number, number, number]
  const rows = rowsOf(q, start, count)
  return {
    q: view(rows, head * (q.strides[1] as number), [count, 1, width], q.strides),
    keys: keys.map(slice => sliceOf(slice, head, H)),
    values: sliceOf(values, head, H),
    scale,
    ...(factors && { factors }),
    ...(window !== undefined && { window }),
    ...(carry && { carry }),
    ...(sinkLogits && { sinkLogits: view(sinkLogits, head, [1]) }),
    ...(bias && { bias: rowsOf(bias, head, 1), biasStart: biasStart ?? 0 }),
    ...(selected && { selected: { ...selected, positions: rowsOf(selected.positions, start, count) } }),
  }
}

function sliceOf(slice: RowSlice, head: number, H: number): RowSlice {
  if (slice.heads === 1) return slice
  // Keys of a text that is read whole are f32.
  const offset = slice.offset + sharedHead(head, slice.heads, H) * slice.headStride * DTYPE_BYTES.f32
  return { ...slice, heads: 1, offset }
}
