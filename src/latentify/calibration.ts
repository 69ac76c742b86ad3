/**
 * Reads a calibration text layer by layer: all windows pass one layer before the next one begins, so only one layer's sums and the windows' streams are
 * in memory.
 */
import { ggufRow } from '../checkpoint/recode/rotated-rows.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import { contiguousKeys } from '../nn/attention/keys.ts'
import { runLayer } from '../nn/block.ts'
import { attendingLayer, type LayerConfig } from '../nn/config.ts'
import { type Decoder, embedded, layerStep } from '../nn/decoder.ts'
import { KeepingScratch } from '../nn/scratch.ts'
import { NO_PAST, prepareStep } from '../nn/step.ts'
import type { LayerWeights } from '../nn/weights.ts'
import { diverted } from '../reading/diverted.ts'
import { type Tensor, view } from '../tensor/tensor.ts'
import type { Attention } from './attention.ts'
import { type Dense, rowsOf, symmetrised, zeros } from './dense.ts'
import { Scores, type SeenAttention } from './scores.ts'
import type { LayerStatistics } from './statistics.ts'

export interface CalibrationRun {
  readonly kernels: Kernels
  readonly decoder: Decoder
  /** Token ids, all of one length. */
  readonly windows: readonly Int32Array[]
  readonly signal?: AbortSignal | undefined
  /** After each window of a layer. */
  readonly onWindow?: (window: number) => void
}

/** The streams that enter the first layer, f32 [T, D] each. */
export async function firstStreams({ kernels, decoder, windows }: CalibrationRun): Promise<Float32Array[]> {
  const streams: Float32Array[] = []
  for (const tokens of windows) {
    await withStep(kernels, decoder, tokens, async (step, backend) => {
      const x = embedded(backend, decoder, step)
      await kernels.submit()
      streams.push((await kernels.memory.read(x)) as Float32Array)
    })
  }
  return streams
}

/** Statistics of layer `index`; the streams become those that leave it. */
export async function layerStatistics(
  run: CalibrationRun,
  streams: Float32Array[],
  index: number,
  attention: Attention,
): Promise<LayerStatistics> {
  const { kernels, decoder, windows, signal, onWindow } = run
  const { window, rope } = decoder.config.layers[index] as LayerConfig
  const neighbours = rope !== null && decoder.config.ropes[rope]?.interleaved === true
  const { heads, groups, width } = attention
  const n = 2 * groups * width
  const T = (windows[0] as Int32Array).length
  const scores = new Scores(attention, T, window)
  const queries = zeros(heads * width, width)
  const rows = zeros(n, n)
  for (const [w, tokens] of windows.entries()) {
    signal?.throwIfAborted()
    const seen = await runWindow(run, tokens, index, streams[w] as Float32Array)
    streams[w] = seen.stream
    const weights = scores.add(seen, w)
    const [query, key] = columnsOf(seen, T, attention, neighbours)
    for (let h = 0; h < heads; h++) {
      const columns = query.subarray(h * width * T, (h + 1) * width * T)
      await addSquares(kernels, T, { into: rowsOf(queries, h * width, width), columns, weights: null })
    }
    await addSquares(kernels, T, { into: rows, columns: key, weights })
    onWindow?.(w + 1)
  }
  const tokens = T * windows.length
  for (let h = 0; h < heads; h++) scaleBy(rowsOf(queries, h * width, width), 1 / tokens)
  scaleBy(rows, scores.mass > 0 ? 1 / scores.mass : 0)
  return { tokens, queries, rows, ...scores.result() }
}

interface SeenWindow extends SeenAttention {
  /** [T, D]: what leaves the layer. */
  readonly stream: Float32Array
  /** [T, H d] and [T, G d], before they are rotated. */
  readonly queries: Float32Array
  readonly keys: Float32Array
}

async function runWindow(
  { kernels, decoder }: CalibrationRun,
  tokens: Int32Array,
  index: number,
  stream: Float32Array,
): Promise<SeenWindow> {
  const config = attendingLayer(decoder.config, index)
  const weights = decoder.weights.layers[index] as LayerWeights
  if (weights.attention.kind !== 'grouped') throw new TypeError('runWindow: a layer without keys of its own')
  const { qkv, out } = weights.attention.weights
  const T = tokens.length
  return withStep(kernels, decoder, tokens, async (step, backend) => {
    const { scratch } = backend
    const projected: Tensor[] = []
    let attended: Tensor | undefined
    const ops = diverted(kernels, {
      matmul: (y, x, w, options) => {
        const which = qkv.findIndex(({ weight }) => weight === w)
        if (which >= 0) projected[which] = y
        if (w === out.weight) attended = x
        kernels.matmul(y, x, w, options)
      },
    })
    const pattern = scratch.take([config.attention.nHeads, T, T])
    // The same memory for whichever layer is asked for.
    const capture = { attention: view(pattern, 0, [1, config.attention.nHeads, T, T], [0, T * T, T, 1]) }
    const x = scratch.take([T, decoder.config.hiddenSize])
    kernels.memory.upload(x, stream)
    const at = layerStep({ ...backend, ops }, decoder, step, index, capture)
    const left = runLayer(at, decoder.config, config, weights, x)
    const contiguous = (t: Tensor | undefined) => {
      if (!t) throw new TypeError('runWindow: the layer made no such product')
      const copy = scratch.take(t.shape)
      kernels.copy(copy, t)
      return copy
    }
    const [queries, keys, values, found] = [...[0, 1, 2].map(i => projected[i]), attended].map(contiguous) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ]
    await kernels.submit()
    const read = async (t: Tensor) => (await kernels.memory.read(t)) as Float32Array
    return {
      stream: await read(left),
      queries: await read(queries),
      keys: await read(keys),
      values: await read(values),
      attended: await read(found),
      pattern: await read(pattern),
    }
  })
}

type Backend = Parameters<typeof embedded>[0]
type Step = ReturnType<typeof prepareStep>

async function withStep<T>(
  kernels: Kernels,
  decoder: Decoder,
  tokens: Int32Array,
  work: (step: Step, backend: Backend & { readonly scratch: KeepingScratch }) => Promise<T>,
): Promise<T> {
  const scratch = new KeepingScratch(kernels.memory)
  try {
    const keys = contiguousKeys(kernels, scratch)
    const input = { tokens, cache: NO_PAST, prompt: { start: 0, end: tokens.length }, logits: 'none' } as const
    const step = prepareStep(kernels.memory, scratch, [input], keys, decoder)
    return await work(step, { ops: kernels, scratch, keys })
  } finally {
    scratch.dispose()
  }
}

/** Queries [H d, T], and keys over values [2 G d, T], by columns, heads of queries and keys in halves. */
function columnsOf(
  { queries, keys, values }: SeenWindow,
  T: number,
  { heads, groups, width }: Attention,
  neighbours: boolean,
): readonly [queries: Float32Array, rows: Float32Array] {
  const place = (i: number) => (neighbours ? ggufRow(i, width) : i)
  const transpose = (x: Float32Array, count: number, from: (i: number) => number, into: Float32Array) => {
    for (let i = 0; i < count; i++) {
      const source = from(i)
      for (let t = 0; t < T; t++) into[i * T + t] = x[t * count + source] as number
    }
  }
  const query = new Float32Array(heads * width * T)
  const rows = new Float32Array(2 * groups * width * T)
  transpose(queries, heads * width, place, query)
  transpose(keys, groups * width, place, rows)
  transpose(values, groups * width, i => i, rows.subarray(groups * width * T))
  return [query, rows]
}

/** into += sum_t weight_t x_t x_tᵀ, x_t column t of `columns`. */
interface Squares {
  readonly into: Dense
  readonly columns: Float32Array
  /** null: 1 each. */
  readonly weights: Float64Array | null
}

async function addSquares(kernels: Kernels, T: number, { into, columns, weights }: Squares): Promise<void> {
  const n = into.rows
  const weighted = weights ? columns.map((x, i) => x * (weights[i % T] as number)) : columns
  const [a, b, y] = [
    kernels.memory.alloc('f32', [n, T]),
    kernels.memory.alloc('f32', [n, T]),
    kernels.memory.alloc('f32', [n, n]),
  ]
  try {
    kernels.memory.upload(a, weighted)
    kernels.memory.upload(b, columns)
    kernels.matmul(y, a, kernels.weightOf('columns', b))
    await kernels.submit()
    const found = (await kernels.memory.read(y)) as Float32Array
    for (let i = 0; i < found.length; i++) into.values[i] = (into.values[i] as number) + (found[i] as number)
  } finally {
    for (const t of [a, b, y]) kernels.memory.free(t)
  }
}

function scaleBy(a: Dense, factor: number): void {
  for (let i = 0; i < a.values.length; i++) a.values[i] = (a.values[i] as number) * factor
  symmetrised(a)
}
