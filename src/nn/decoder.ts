/**
 * A decoder as a text over operations: token ids in, logits out. It submits nothing and keeps no state, so that anyone may
 * run it: with operations that are recorded, counted or taped, with scratch memory that is reused or kept, with keys in a
 * cache or in contiguous rows.
 */
import type { Weight } from '../kernels/contract/weights.ts'
import { lastOf, rowsOf, splitHeads, type Tensor, view } from '../tensor/tensor.ts'
import { type RopeSet, ropeSet } from './attention/rope-angles.ts'
import type { StepGroup } from './attention/runs.ts'
import type { AttentionStep, Backend, CrossStep } from './attention/step.ts'
import { checkBlocks, runLayer } from './block.ts'
import { crossRows } from './cache-layout.ts'
import { attends, type LayerConfig, type LayerInputsConfig, type ModelConfig, maxChosen } from './config.ts'
import { type Linear, linear, normalise, type Workplace } from './layers.ts'
import { type RowRules, rowRules } from './provenance.ts'
import type { Step } from './step.ts'
import type { JoinWeights, LayerInputsWeights, LayerWeights, ModelWeights } from './weights.ts'

export interface Decoder {
  readonly config: ModelConfig
  readonly weights: ModelWeights
  /** By index of `config.ropes`. */
  readonly ropes: readonly RopeSet[]
  /** What decides how a row is computed. */
  readonly rowRules: RowRules
  /** Keys that a query chooses at most; 0: it sees all. */
  readonly topK: number
  /** Numbers per token that wait for the next layer; 0: there are none. */
  readonly besideSize: number
  /** Numbers per token of the vectors for all layers; 0: there are none. */
  readonly layerInputsSize: number
}

export function decoderOf(config: ModelConfig, weights: ModelWeights): Decoder {
  checkBlocks(config)
  return {
    config,
    weights,
    ropes: config.ropes.map(ropeSet),
    rowRules: rowRules(config),
    topK: maxChosen(config),
    besideSize: config.layers.some(joinsNext) ? config.hiddenSize : 0,
    layerInputsSize: config.layerInputs ? config.layers.length * config.layerInputs.width : 0,
  }
}

/** Numbers to copy out on the way, for tests, `verify` and pictures. One sequence only. */
export interface Capture {
  /** f32 [L + 1, T, D] (strided rows allowed): after the embedding and each layer, the last after the final norm. */
  readonly hidden?: Tensor
  /** f32 [L, H, T, S] (strided), filled with -inf: attention probabilities, of layers that attend. H: heads of the layer that has the most. */
  readonly attention?: Tensor
  /** f32 [L, H, T, S] (strided), filled with -inf: the same of cross-attention, S being the source's tokens. */
  readonly cross?: Tensor
  /** f32 [L, T, S], filled with -inf: scores of the layers that have an indexer of their own. */
  readonly indexScores?: Tensor
  /** i32 [L, T, topK]: the keys that each layer's queries attend to, as `selectKeys` writes them. */
  readonly selected?: Tensor
  /** f32 [T, D]: every row's state after the final norm. Of any number of sequences. */
  readonly states?: Tensor
}

/**
 * Logits of the step's `logitRows`, f32 [n, vocab], in their order. Yields between two layers the fraction of layers that is
 * done: the caller may submit and wait there, or abandon the step.
 */
export function* decoder(
  backend: Backend,
  model: Decoder,
  step: Step,
  capture: Capture = {},
): Generator<number, Tensor, void> {
  const x = yield* stream(backend, model, step, capture)
  return logits(backend, model, step, x, capture)
}

/** The stream after the last layer, before the final norm, f32 [T, D]. Yields as `decoder` does. */
export function* stream(
  backend: Backend,
  model: Decoder,
  step: Step,
  capture: Capture = {},
): Generator<number, Tensor, void> {
  const { ops } = backend
  const { config, weights } = model
  let x = embedded(backend, model, step) // [T, D]
  if (capture.hidden) ops.copy(nth(capture.hidden, 0), x)
  for (const [i, layer] of config.layers.entries()) {
    x = runLayer(layerStep(backend, model, step, i, capture), config, layer, weights.layers[i] as LayerWeights, x)
    if (capture.selected && step.selected) ops.copy(nth(capture.selected, i), step.selected)
    const done = (i + 1) / config.layers.length
    if (done === 1) break
    if (capture.hidden) ops.copy(nth(capture.hidden, i + 1), x)
    yield done
  }
  return x
}

/** The step as attention of layer `index` sees it. */
export function layerStep(
  backend: Backend,
  { config, ropes, weights }: Pick<Decoder, 'config' | 'ropes' | 'weights'>,
  step: Step,
  index: number,
  capture: Capture = {},
): AttentionStep {
  const { attention, rope, window, queryRope, cross } = config.layers[index] as LayerConfig
  const groupOf = (rows: number) => step.groups[backend.keys.groupOf(rows)] as StepGroup
  const pattern = (all: Tensor | undefined, heads: number) => (all ? rowsOf(nth(all, index), 0, heads) : null)
  const angles = (rope: number) => step.angles[rope] as Tensor
  // Field by field: a spread in front of so many fields took 20 microseconds a layer (docs/log.md, 2026-11-30).
  return {
    ops: backend.ops,
    scratch: backend.scratch,
    keys: backend.keys,
    layer: index,
    tokens: step.tokens,
    group: groupOf(index),
    window,
    rope:
      rope === null
        ? null
        : {
            cosSin: angles(rope),
            queryCosSin: angles(queryRope?.rotated ?? rope),
            stillCosSin: queryRope && queryRope.still !== null ? angles(queryRope.still) : null,
            interleaved: (ropes[rope] as RopeSet).interleaved,
          },
    selected: step.selected,
    indexScores: capture.indexScores ? nth(capture.indexScores, index) : null,
    beside: step.beside,
    joins: joinsNext(config.layers[index - 1]) ? step.beside : null,
    input: step.layerInputs ? layerInput(step.layerInputs, config, index) : null,
    bias: weights.distanceBias,
    seesAll: config.encoder !== undefined,
    pattern: attends(attention) ? pattern(capture.attention, attention.nHeads) : null,
    cross: cross
      ? crossStep(backend, groupOf, crossRows(index, config.nLayers), pattern(capture.cross, cross.nHeads))
      : null,
  }
}

/** `rows`: where the store of keys has those that the layer reads of sources. */
function crossStep(
  { keys }: Backend,
  groupOf: (rows: number) => StepGroup,
  rows: number,
  pattern: Tensor | null,
): CrossStep {
  const group = groupOf(rows)
  return { keys: keys.stored(rows, 'key', group), values: keys.stored(rows, 'value', group), group, pattern }
}

/** What its experts return joins the stream behind the next layer. */
export function joinsNext(layer: LayerConfig | undefined): boolean {
  return layer?.beside !== undefined && !layer.beside.ofStream
}

/** The vectors of the tokens for one layer, [T, W], of those for all. */
function layerInput(all: Tensor, { layerInputs }: ModelConfig, index: number): Tensor {
  const { width } = layerInputs as LayerInputsConfig
  return lastOf(all, index * width, width)
}

/** Writes the vectors of a step's tokens for all layers, [T, L W], from the embedding x [T, D]. */
function writeLayerInputs(at: Workplace, w: LayerInputsWeights, config: ModelConfig, step: Step, x: Tensor): void {
  const { ops, scratch } = at
  const all = step.layerInputs as Tensor
  const { width } = config.layerInputs as LayerInputsConfig
  const mark = scratch.mark()
  const projected = scratch.take(all.shape)
  linear(at, projected, x, w.projection, { scale: config.hiddenSize ** -0.5 })
  const byLayer = (t: Tensor) => splitHeads(t, config.layers.length)
  const normed = scratch.replacing(projected)
  normalise(ops, byLayer(normed), byLayer(projected), w.norm)
  const own = scratch.take(all.shape)
  ops.embed(own, w.table, step.ids, Math.sqrt(width))
  ops.axpby(all, Math.SQRT1_2, normed, Math.SQRT1_2, own)
  scratch.release(mark)
}

/** The stream before the first layer, f32 [T, D]. */
export function embedded({ ops, scratch }: Backend, { config, weights }: Decoder, step: Step): Tensor {
  const { positions, encoder, join, layerInputs } = weights
  const x = scratch.take([step.tokens, config.hiddenSize])
  ops.embed(x, weights.embedding, step.ids, config.embeddingScale)
  if (layerInputs) writeLayerInputs({ ops, scratch }, layerInputs, config, step, x)
  const added = (x: Tensor, rows: Weight, index: Tensor) => {
    const sum = scratch.replacing(x)
    const mark = scratch.mark()
    const learned = scratch.take(x.shape)
    ops.embed(learned, rows, index)
    ops.axpby(sum, 1, x, 1, learned)
    scratch.release(mark)
    return sum
  }
  const placed = positions ? added(x, positions, step.positions) : x
  if (join) return joined({ ops, scratch }, join, placed, step.states as Tensor)
  if (!encoder) return placed
  const typed = encoder.tokenTypes && step.types ? added(placed, encoder.tokenTypes, step.types) : placed
  if (!encoder.embeddingNorm) return typed
  const normed = scratch.replacing(typed)
  normalise(ops, normed, typed, encoder.embeddingNorm)
  return normed
}

/** What a module of multi-token prediction reads of tokens and the states before them, both f32 [T, D]. */
function joined({ ops, scratch }: Workplace, join: JoinWeights, tokens: Tensor, states: Tensor): Tensor {
  const [T, D] = states.shape as [number, number]
  const both = scratch.take([T, 2 * D])
  const parts = [
    { at: 0, rows: tokens, norm: join.embeddingNorm },
    { at: D, rows: states, norm: join.hiddenNorm },
  ]
  for (const { at, rows, norm } of parts) {
    const normed = scratch.take([T, D])
    normalise(ops, normed, rows, norm)
    ops.copy(lastOf(both, at, D), normed)
  }
  const x = scratch.take([T, D])
  linear({ ops, scratch }, x, both, join.linear)
  return x
}

/** Rows `index` (i32 [n]) of a stream, after the final norm where the model has one: f32 [n, D]. */
export function finalRows(
  { ops, scratch }: Backend,
  { config, weights: { finalNorm } }: Decoder,
  x: Tensor,
  index: Tensor,
): Tensor {
  const rows = scratch.take([index.shape[0] as number, config.hiddenSize])
  ops.gatherRows(rows, x, index)
  if (!finalNorm) return rows
  const normed = scratch.replacing(rows)
  normalise(ops, normed, rows, finalNorm)
  return normed
}

function logits(backend: Backend, model: Decoder, step: Step, x: Tensor, capture: Capture): Tensor {
  const { scratch } = backend
  const { config, weights } = model
  if (!weights.output) throw new TypeError(`decoder: ${config.modelType} is an encoder and has no output`)
  const logits = scratch.take([step.logitRows.shape[0] as number, config.vocabSize])
  const rows = capture.states
    ? rowsOfStates(backend, model, x, step, capture.states)
    : finalRows(backend, model, x, step.logitRows)
  writeLogits(backend, logits, rows, weights.output, config)
  if (capture.hidden) captureLast(backend, model, finalStates(backend, model, x), capture.hidden)
  return logits
}

/** Logits [n, vocab] of states x [n, D] after the final norm. */
export function writeLogits(
  at: Workplace,
  logits: Tensor,
  x: Tensor,
  output: Linear,
  { logitScale, logitCap }: Pick<ModelConfig, 'logitScale' | 'logitCap'>,
): void {
  linear(at, logits, x, output, { scale: logitScale / (logitCap ?? 1) })
  if (logitCap === undefined) return
  at.ops.activate(logits, logits, 'tanh')
  at.ops.axpby(logits, logitCap, logits)
}

/** All rows of a stream after the final norm where the model has one: f32 [T, D]. x may be overwritten. */
export function finalStates({ ops, scratch }: Backend, { weights: { finalNorm } }: Decoder, x: Tensor): Tensor {
  if (!finalNorm) return x
  const last = scratch.replacing(x)
  normalise(ops, last, x, finalNorm)
  return last
}

/** Copies the states after the final norm, [T, D], out. */
export function captureLast({ ops }: Backend, { config }: Decoder, states: Tensor, hidden: Tensor): void {
  ops.copy(nth(hidden, config.layers.length), states)
}

/** Writes every row's state after the final norm, f32 [T, D]. Returns those whose logits are wanted. */
function rowsOfStates({ ops, scratch }: Backend, model: Decoder, x: Tensor, step: Step, states: Tensor): Tensor {
  const { finalNorm } = model.weights
  if (finalNorm) normalise(ops, states, x, finalNorm)
  else ops.copy(states, x)
  const wanted = step.logitRows.shape[0] as number
  if (wanted === step.tokens) return states
  const rows = scratch.take([wanted, model.config.hiddenSize])
  ops.gatherRows(rows, states, step.logitRows)
  return rows
}

/** Entry i of the first axis, strides kept. */
function nth(t: Tensor, i: number): Tensor {
  return view(t, i * (t.strides[0] as number), t.shape.slice(1), t.strides.slice(1))
}
