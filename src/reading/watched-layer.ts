/**
 * Attention of one layer as the model's own text computes it, with all that passes by kept: what is projected, rotated and stored,
 * and the calls of attention, which are not run but remembered, so that one head or some queries of them can be.
 */
import { OutOfMemoryError } from '../errors.ts'
import type { AttentionArgs } from '../kernels/contract/attention-args.ts'
import { SEQUENCE_FIELDS } from '../kernels/contract/cached-rows.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Activation } from '../kernels/contract/operation-options.ts'
import type { AttentionConfig } from '../nn/attention/config.ts'
import { contiguousKeys, type KeyStore } from '../nn/attention/keys.ts'
import type { KeyValueUp } from '../nn/attention/mla-up.ts'
import type { AttentionPath } from '../nn/attention/path.ts'
import { attendFrom } from '../nn/block.ts'
import { attendingLayer } from '../nn/config.ts'
import { type Decoder, layerStep } from '../nn/decoder.ts'
import type { Linear } from '../nn/layers.ts'
import { KeepingScratch } from '../nn/scratch.ts'
import { prepareStep, type Step } from '../nn/step.ts'
import type { LayerWeights } from '../nn/weights.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { diverted, replacedKeys, type StoredRows } from './diverted.ts'
import { type Rotated, type Rotation, rotatedBy } from './rotations.ts'
import { withoutSource } from './source-keys.ts'
import type { WholeText } from './whole-text.ts'

/** Of one layer. */
const MAX_BYTES = 2 ** 31

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

/** What heads found is multiplied by: activation(by). by: f32 [T, H, V], or [T, H, V, 1] with one number for a head. */
export interface HeadGate {
  readonly by: Tensor
  readonly activation: Activation
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
  /** i32 [T, topK]: what an earlier layer's indexer has chosen, where this one takes its choice. */
  readonly chosen?: Int32Array | undefined
  /** The earlier layer whose keys and values this one reads, where it has none of its own. */
  readonly keysOf?: Pick<LayerRun, 'index' | 'stream' | 'stored'> | undefined
}

/** Attention of a layer to its text, or to a source. */
export interface WatchedLayer {
  readonly index: number
  readonly attention: AttentionConfig
  /** Keys a query sees, itself included; null: all. */
  readonly window: number | null
  /** A query sees no key behind it. */
  readonly causal: boolean
  /** Tokens of the text, or of the source. */
  readonly keyCount: number
  /** W_O */
  readonly out: Linear
  /** W_UK and W_UV; null: keys and values are the layer's own. */
  readonly up: KeyValueUp | null
  /** In their order. Those that `carry` go on where the one before them ended. */
  readonly calls: readonly WatchedCall[]
  /** What was stored, by segment: f32 [keys, heads, width]; of a layer that reads another's keys, by that one. */
  readonly stored: ReadonlyMap<string, Tensor>
  /** What keys are projected from: the stream, normed where the block does so first, or the source's states. f32 [keys, D] */
  readonly input: Tensor
  /** f32 [T, H, keySize] */
  readonly queries: Rotated
  /** f32 [keys, G, d]; of MLA the rope key, [keys, 1, R]. */
  readonly keys: Rotated
  /** Whether neighbours form the pairs that are rotated, instead of the two halves. */
  readonly interleaved: boolean
  /** null: what heads found is projected as it is. */
  readonly gate: HeadGate | null
  /** i32 [T, topK]: the keys that queries may choose; null: they see all. */
  readonly chosen: Tensor | null
  readonly path: AttentionPath | undefined
  dispose(): void
}

/** Throws OutOfMemoryError for a text that is too long. */
export async function watchLayer(run: LayerRun, pause: () => Promise<void>): Promise<WatchedLayer> {
  const { decoder, text, index } = run
  const { attention } = attendingLayer(decoder.config, index)
  const bytes = (run.keysOf ? 2 : 1) * watchedBytes(attention, text.tokens.length)
  if (bytes > MAX_BYTES) {
    throw new OutOfMemoryError(
      `Queries, keys and values of ${text.tokens.length} tokens in layer ${index} take about ${bytes} bytes; at most ` +
        `${MAX_BYTES} are taken for one layer. Look into a shorter text`,
    )
  }
  return kept(run.kernels, scratch => watch(run, scratch, pause))
}

/** What `watch` saw, in memory that lives as long as it. */
export async function kept(
  kernels: Kernels,
  watch: (scratch: KeepingScratch) => Promise<Omit<WatchedLayer, 'dispose'>>,
): Promise<WatchedLayer> {
  const scratch = new KeepingScratch(kernels.memory)
  try {
    return { ...(await watch(scratch)), dispose: () => scratch.dispose() }
  } catch (error) {
    scratch.dispose()
    throw error
  }
}

async function watch(
  run: LayerRun,
  scratch: KeepingScratch,
  pause: () => Promise<void>,
): Promise<Omit<WatchedLayer, 'dispose'>> {
  const { kernels, text, index, path } = run
  const decoder = withoutSource(run.decoder)
  const { attention, window } = attendingLayer(decoder.config, index)
  const keys = contiguousKeys(kernels, scratch)
  const step = prepareStep(kernels.memory, scratch, [{ ...text.input, ...(path && { path }) }], keys, decoder)
  if (step.selected && run.chosen) kernels.memory.upload(step.selected, run.chosen)
  const at = { kernels, decoder, scratch, keys, step }
  const earlier = run.keysOf && passedIn(at, run.keysOf)
  const { args, rotations, projected, gate, ...own } = passedIn(at, run)
  const ofKeys = earlier ?? { ...own, rotations }
  await kernels.submit(pause)
  const calls = await Promise.all(args.map(call => callOf(kernels, call, pathOf(attention, call), text.tokens.length)))
  const [query] = args as [AttentionArgs]
  const rotated = (all: readonly Rotation[]) =>
    rotatedBy(attention, { rotations: all, query: query.q, projected, key: ofKeys.key as Tensor })
  const { up, out } = weightsOf(decoder, index)
  return {
    index,
    attention,
    window,
    causal: !decoder.config.encoder,
    keyCount: text.tokens.length,
    out,
    up,
    calls,
    stored: ofKeys.stored,
    input: ofKeys.input,
    queries: rotated(rotations)[0],
    keys: rotated(ofKeys.rotations)[1],
    interleaved: rotations[0]?.interleaved ?? false,
    gate,
    chosen: args.some(({ selected }) => selected) ? step.selected : null,
    path,
  }
}

/** Where layers of one text are run. */
interface Workplace extends Pick<LayerRun, 'kernels' | 'decoder'> {
  readonly scratch: KeepingScratch
  /** All layers' keys. */
  readonly keys: KeyStore
  readonly step: Step
}

/** What passes by while a layer's attention is recorded. */
interface Passed {
  /** Calls of attention, which are not run. */
  readonly args: readonly AttentionArgs[]
  readonly rotations: readonly Rotation[]
  readonly stored: ReadonlyMap<string, Tensor>
  readonly input: Tensor
  /** What MLA projects its queries to. */
  readonly projected: Tensor | null
  /** What is stored as key, or rope key; null: nothing. */
  readonly key: Tensor | null
  readonly gate: HeadGate | null
}

function passedIn(
  { kernels, decoder, scratch, keys: all, step }: Workplace,
  { index, stream, stored: rows }: Pick<LayerRun, 'index' | 'stream' | 'stored'>,
): Passed {
  const config = attendingLayer(decoder.config, index)
  const { projections, query } = weightsOf(decoder, index)
  const args: AttentionArgs[] = []
  const rotations: Rotation[] = []
  const stored = new Map<string, Tensor>()
  let input: Tensor | null = null
  let projected: Tensor | null = null
  let key: Tensor | null = null
  let gate: HeadGate | null = null
  const ops = diverted(kernels, {
    attention: call => void args.push(call),
    rope: (y, x, cosSin, interleaved) => {
      rotations.push({ before: x, after: y, cosSin, interleaved })
      kernels.rope(y, x, cosSin, interleaved)
    },
    matmul: (y, x, w, options) => {
      if (projections.includes(w)) input ??= x
      if (w === query) projected = y
      kernels.matmul(y, x, w, options)
    },
    gate: (y, by, x, activation) => {
      // What comes behind attention is of what its heads found.
      if (args.length > 0) gate = { by, activation }
      else kernels.gate(y, by, x, activation)
    },
  })
  const replaced = replacedKeys(all, kernels.memory, scratch, rows, stored)
  const keys: KeyStore = {
    ...replaced,
    put: (layer, segment, x, group) => {
      if (segment === 'key' || segment === 'ropeKey') key = x
      return replaced.put(layer, segment, x, group)
    },
  }
  const x = scratch.take([step.tokens, decoder.config.hiddenSize])
  kernels.memory.upload(x, stream)
  const weights = decoder.weights.layers[index] as LayerWeights
  attendFrom(layerStep({ ops, scratch, keys }, decoder, step, index), decoder.config, config, weights, x)
  return { args, rotations, stored, input: input ?? x, projected, key, gate }
}

/** Of a layer that attends: its output, W_UK and W_UV, and what its input is projected by; `query`: MLA's W_UQ. */
function weightsOf({ weights }: Pick<Decoder, 'weights'>, index: number) {
  const { attention } = weights.layers[index] as LayerWeights
  const { weights: w } = attention
  const latent = attention.kind === 'latent' ? attention.weights : null
  const first = [latent?.queryDown?.linear, latent?.query, ...('qkv' in w ? w.qkv : [])]
  return {
    out: w.out,
    up: latent?.keyValueUp ?? null,
    projections: first.map(one => one?.weight),
    query: latent?.query.weight,
  }
}

/** `tokens`: of the text whose queries attend; those that see all keys are in one call, whose positions lie behind them. */
export async function callOf(
  kernels: Kernels,
  args: AttentionArgs,
  path: CallPath,
  tokens: number,
): Promise<WatchedCall> {
  const rows = (await kernels.memory.read(args.sequences.rows)) as Int32Array
  const [, , position, keyStart] = rows as unknown as [number, number, number, number]
  // Queries that gather their keys have a row each, the last of which has all keys.
  const keyCount = rows.at(4 - SEQUENCE_FIELDS) as number
  const count = args.q.shape[0] as number
  return { args, path, first: position < tokens ? position : 0, count, position, keyStart, keyCount }
}

function pathOf({ kind }: AttentionConfig, { values }: AttentionArgs): CallPath {
  if (kind === 'grouped') return 'grouped'
  // Raised values lie behind their keys; a latent is its own value.
  return values.offset > 0 ? 'expanded' : 'absorbed'
}

/** About what a layer takes while it is watched. */
function watchedBytes(a: AttentionConfig, tokens: number): number {
  if (a.kind === 'grouped') return 4 * tokens * a.headDim * (4 * a.nHeads + 6 * a.nKvHeads)
  const { nHeads: H, qkNopeHeadDim: N, qkRopeHeadDim: R, vHeadDim: V, kvLoraRank: C, indexer } = a
  const numbers = H * (2 * (N + R) + N + 2 * V) + 3 * (C + R)
  // A cell is absorbed where the model expands it.
  const absorbed = H * (2 * C + R)
  // An indexer's queries, its scores of all keys, and what is chosen.
  const chosen = indexer && tokens > indexer.topK ? 2 * indexer.nHeads * indexer.headDim + tokens + indexer.topK : 0
  return 4 * tokens * (numbers + absorbed + chosen)
}
