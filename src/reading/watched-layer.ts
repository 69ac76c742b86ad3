/**
 * Attention of one layer as the model's own text computes it, with all that passes by kept: what is projected, rotated and stored,
 * and the calls of attention, which are not run but remembered, so that one head or some queries of them can be.
 */
import { OutOfMemoryError } from '../errors.ts'
import type { AttentionArgs } from '../kernels/contract/attention-args.ts'
import { SEQUENCE_FIELDS } from '../kernels/contract/cached-rows.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import { contiguousKeys } from '../nn/attention/keys.ts'
import type { AttentionPath } from '../nn/attention/path.ts'
import { attendFrom } from '../nn/block.ts'
import { type AttendingLayer, attendingLayer } from '../nn/config.ts'
import { type Decoder, layerStep } from '../nn/decoder.ts'
import { KeepingScratch } from '../nn/scratch.ts'
import { prepareStep } from '../nn/step.ts'
import type { LayerWeights } from '../nn/weights.ts'
import { splitHeads, type Tensor, view } from '../tensor/tensor.ts'
import { diverted, replacedKeys, type StoredRows } from './diverted.ts'
import type { WholeText } from './whole-text.ts'

/** Of one layer. */
const MOST_BYTES = 2 ** 31

/** How a call computes: with keys and values that are the layer's own, or MLA's in one of two ways. */
export type CallPath = 'grouped' | AttentionPath

/** A call of attention: of queries first .. first + count of the text, over some of the keys. */
export interface WatchedCall {
  readonly args: AttentionArgs
  readonly path: CallPath
  readonly first: number
  readonly count: number
  /** Of the first query, for the mask. */
  readonly position: number
  readonly keyStart: number
  readonly keyCount: number
}

/** Vectors before and after their rotation; both the same where nothing rotates. */
export interface Rotated {
  readonly before: Tensor
  readonly after: Tensor
}

/** What a layer is run on. */
export interface LayerRun {
  readonly kernels: Kernels
  readonly decoder: Decoder
  readonly text: WholeText
  readonly index: number
  /** The stream that enters the layer, [T, D]. */
  readonly stream: Float32Array
  /** Taken in place of what the layer would store. */
  readonly stored?: StoredRows | undefined
  /** All queries take this path of MLA. Default: as the model chooses. */
  readonly path?: AttentionPath | undefined
}

interface Seen {
  readonly calls: readonly WatchedCall[]
  readonly stored: ReadonlyMap<string, Tensor>
  readonly input: Tensor
  readonly queries: Rotated
  readonly keys: Rotated
  readonly cosSin: Tensor | null
  readonly interleaved: boolean
}

export class WatchedLayer {
  readonly config: AttendingLayer
  readonly weights: LayerWeights
  /** In their order. Those that `carry` go on where the one before them ended. */
  readonly calls: readonly WatchedCall[]
  /** What was stored, by segment: f32 [T, heads, width]. */
  readonly stored: ReadonlyMap<string, Tensor>
  /** What attention projects: the stream, normed where the block does so first. f32 [T, D] */
  readonly input: Tensor
  /** f32 [T, H, keySize] */
  readonly queries: Rotated
  /** f32 [T, G, d]; of MLA the rope key, [T, 1, R]. */
  readonly keys: Rotated
  /** f32 [T, 2r]: cosines and sines of every token; null without rope. */
  readonly cosSin: Tensor | null
  /** Whether neighbours form the pairs that are rotated, instead of the two halves. */
  readonly interleaved: boolean
  readonly index: number
  readonly path: AttentionPath | undefined
  readonly #scratch: KeepingScratch

  private constructor({ decoder, index, path }: LayerRun, scratch: KeepingScratch, seen: Seen) {
    this.index = index
    this.path = path
    this.config = attendingLayer(decoder.config, index)
    this.weights = decoder.weights.layers[index] as LayerWeights
    this.#scratch = scratch
    this.calls = seen.calls
    this.stored = seen.stored
    this.input = seen.input
    this.queries = seen.queries
    this.keys = seen.keys
    this.cosSin = seen.cosSin
    this.interleaved = seen.interleaved
  }

  /** Throws OutOfMemoryError for a text that is too long. */
  static async of(run: LayerRun, pause: () => Promise<void>): Promise<WatchedLayer> {
    const { decoder, text, index } = run
    const bytes = watchedBytes(attendingLayer(decoder.config, index), text.tokens.length)
    if (bytes > MOST_BYTES) {
      throw new OutOfMemoryError(
        `Queries, keys and values of ${text.tokens.length} tokens in layer ${index} take about ${bytes} bytes; at most ` +
          `${MOST_BYTES} are taken for one layer. Look into a shorter text`,
      )
    }
    const scratch = new KeepingScratch(run.kernels.memory)
    try {
      return new WatchedLayer(run, scratch, await watch(run, scratch, pause))
    } catch (error) {
      scratch.dispose()
      throw error
    }
  }

  dispose(): void {
    this.#scratch.dispose()
  }
}

async function watch(run: LayerRun, scratch: KeepingScratch, pause: () => Promise<void>): Promise<Seen> {
  const { kernels, decoder, text, index, stream } = run
  const config = attendingLayer(decoder.config, index)
  const weights = decoder.weights.layers[index] as LayerWeights
  const args: AttentionArgs[] = []
  const rotations: (Rotated & { readonly cosSin: Tensor; readonly interleaved: boolean })[] = []
  const stored = new Map<string, Tensor>()
  let input: Tensor | null = null
  let latentQuery: Tensor | null = null
  const ops = diverted(kernels, {
    attention: call => void args.push(call),
    rope: (y, x, cosSin, interleaved) => {
      rotations.push({ before: x, after: y, cosSin, interleaved })
      kernels.rope(y, x, cosSin, interleaved)
    },
    matmul: (y, x, w, options) => {
      input ??= x
      if (weights.attention.kind === 'latent' && w === weights.attention.weights.query.weight) latentQuery = y
      kernels.matmul(y, x, w, options)
    },
  })
  const keys = replacedKeys(contiguousKeys(ops, scratch), kernels.memory, scratch, run.stored, stored)
  const step = prepareStep(
    kernels.memory,
    scratch,
    [{ ...text.input, ...(run.path && { path: run.path }) }],
    keys,
    decoder,
  )
  const x = scratch.take([text.tokens.length, decoder.config.hiddenSize])
  kernels.memory.upload(x, stream)
  attendFrom(layerStep({ ops, scratch, keys }, decoder, step, index), decoder.config, config, weights, x)
  await kernels.submit(pause)
  const calls: WatchedCall[] = []
  for (const call of args) {
    const row = (await kernels.memory.read(call.sequences.rows)) as Int32Array
    if (row.length !== SEQUENCE_FIELDS) throw new TypeError('WatchedLayer: a call of several sequences')
    const [, count, position, keyStart, keyCount] = row as unknown as [number, number, number, number, number]
    // Where queries see all keys, all of them are in one call, whose positions lie behind the text.
    const first = position < text.tokens.length ? position : 0
    calls.push({ args: call, path: pathOf(config, call), first, count, position, keyStart, keyCount })
  }
  const [query, key] = rotations
  return {
    calls,
    stored,
    input: input ?? x,
    queries: queriesOf(config, latentQuery, query, calls),
    keys: key ?? unrotated(stored.get(config.attention.kind === 'latent' ? 'ropeKey' : 'key') as Tensor),
    cosSin: query?.cosSin ?? null,
    interleaved: query?.interleaved ?? false,
  }
}

function pathOf({ attention }: AttendingLayer, { values }: AttentionArgs): CallPath {
  if (attention.kind === 'grouped') return 'grouped'
  // Raised values lie behind their keys; a latent is its own value.
  return values.offset > 0 ? 'expanded' : 'absorbed'
}

function queriesOf(
  { attention: a }: AttendingLayer,
  latentQuery: Tensor | null,
  rotated: Rotated | undefined,
  calls: readonly WatchedCall[],
): Rotated {
  if (a.kind === 'grouped') return rotated ?? unrotated((calls[0] as WatchedCall).args.q)
  const before = splitHeads(latentQuery as unknown as Tensor, a.nHeads)
  if (!rotated) return unrotated(before)
  // What is rotated is the end of each query; it begins N numbers earlier.
  const { after } = rotated
  const { qkNopeHeadDim: N, qkRopeHeadDim: R } = a
  return { before, after: view(after, -N, [...after.shape.slice(0, -1), N + R], after.strides) }
}

function unrotated(x: Tensor): Rotated {
  return { before: x, after: x }
}

/** About what a layer takes while it is watched. */
function watchedBytes({ attention: a }: AttendingLayer, tokens: number): number {
  const numbers =
    a.kind === 'latent'
      ? a.nHeads * (2 * (a.qkNopeHeadDim + a.qkRopeHeadDim) + a.qkNopeHeadDim + 2 * a.vHeadDim) +
        3 * (a.kvLoraRank + a.qkRopeHeadDim) +
        // A cell is absorbed where the model expands it.
        a.nHeads * (2 * a.kvLoraRank + a.qkRopeHeadDim)
      : a.headDim * (4 * a.nHeads + 6 * a.nKvHeads)
  return 4 * tokens * numbers
}
