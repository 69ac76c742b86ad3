/** The residual stream of a text, before each layer and behind the last. */
import { UnsupportedModelError } from '../errors.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Operations } from '../kernels/operations/table.ts'
import { Arena } from '../nn/arena.ts'
import { contiguousKeys } from '../nn/attention/keys.ts'
import type { Backend } from '../nn/attention/step.ts'
import { runLayer } from '../nn/block.ts'
import { attendingLayer, type LayerConfig } from '../nn/config.ts'
import { type Decoder, embedded, finalRows, finalStates, joinsNext, layerStep, writeLogits } from '../nn/decoder.ts'
import { KeepingScratch, type Scratch } from '../nn/scratch.ts'
import { prepareStep, type Step } from '../nn/step.ts'
import type { LayerWeights } from '../nn/weights.ts'
import { rowsOf, splitHeads, type Tensor } from '../tensor/tensor.ts'
import { type Changes, type HeadChange, NO_CHANGES, type StoredByLayer } from './changes.ts'
import { diverted, replacedKeys, type StoredRows } from './diverted.ts'
import { headView, withMemory } from './heads.ts'
import type { Sharing } from './sharing.ts'
import { withSource } from './source-keys.ts'
import { checkedMatrix } from './spectrum.ts'
import { gram, projected, symmetricEigen } from './svd.ts'
import { watchLayer } from './watched-layer.ts'
import type { WholeText } from './whole-text.ts'

export interface States {
  /** f32 [T, D] for each of the L layers what enters it, and at last what leaves the last one. */
  readonly states: readonly Float32Array[]
  /** f32 [T, D] for each layer what its cross-attention projects to queries; none where layers have no such attention. */
  readonly crossQueries: readonly Float32Array[]
  /** f32 [T, D] by layer: what experts of the layer before have returned, which joins the stream behind this one. */
  readonly waiting: ReadonlyMap<number, Float32Array>
  readonly stored: StoredByLayer
}

/** Each layer is a turn of its own. `source`: f32 [S, D], what the encoder of an encoder-decoder made of the source. */
export async function readStates(
  kernels: Kernels,
  decoder: Decoder,
  text: WholeText,
  source: Float32Array | null,
  changes: Changes,
  work: Sharing,
): Promise<States> {
  const { config } = decoder
  const scratch = new Arena(kernels.memory)
  // What is uploaded while a layer is recorded must not lie where operations that are not yet run will write.
  const uploaded = new KeepingScratch(kernels.memory)
  try {
    const states: Float32Array[] = []
    const crossQueries: Float32Array[] = []
    const waiting = new Map<number, Float32Array>()
    const stored = new Map<number, StoredRows>()
    const encoded = source && scratch.take([source.length / config.hiddenSize, config.hiddenSize])
    if (encoded) kernels.memory.upload(encoded, source)
    // One store for all layers: some read what earlier ones have put there.
    const keys = contiguousKeys(kernels, scratch)
    const withKeys = (ops: Operations, rows?: StoredRows): Backend => {
      const own = replacedKeys(keys, kernels.memory, uploaded, rows)
      return { ops, scratch, keys: encoded ? withSource(own, { ops, scratch }, decoder, encoded) : own }
    }
    const backend = withKeys(kernels)
    const step = prepareStep(kernels.memory, scratch, [text.input], backend.keys, decoder)
    let x: Tensor | null = null
    for (let i = 0; i <= config.layers.length; i++) {
      const { states: others, ranks } = changes.get(i) ?? NO_CHANGES
      const stream = await work.turn(async () => {
        let queries: Tensor | null = null
        if (x) {
          const own = seamsOf(kernels, uploaded, decoder, i - 1, changes.get(i - 1)?.heads ?? [], at => {
            queries = at
          })
          const mark = scratch.mark()
          x = carried(withKeys(own, stored.get(i - 1)), decoder, step, i - 1, x)
          if (!config.layers[i - 1]?.isRead) scratch.release(mark)
        } else x = embedded(backend, decoder, step)
        await kernels.submit(work.pause)
        if (queries) crossQueries.push((await kernels.memory.read(queries)) as Float32Array)
        uploaded.dispose()
        const state = (await kernels.memory.read(x)) as Float32Array
        for (const { row, values } of others) state.set(values, row * config.hiddenSize)
        if (others.length > 0) kernels.memory.upload(x, state)
        if (step.beside && joinsNext(config.layers[i - 1])) {
          const rows = (await kernels.memory.read(step.beside)) as Float32Array
          for (const { row, waiting } of others) if (waiting) rows.set(waiting, row * config.hiddenSize)
          if (others.length > 0) kernels.memory.upload(step.beside, rows)
          waiting.set(i, rows)
        }
        return state
      })
      states.push(stream)
      if (ranks.length > 0) {
        const run = { kernels, decoder, text, index: i, stream }
        const layer = await work.turn(() => watchLayer(run, work.pause))
        try {
          const cut = new Map<string, Float32Array>()
          for (const { segment, rank } of ranks) {
            const x = await work.turn(() => storedRows(kernels, layer.stored.get(segment) as Tensor))
            const rows = text.tokens.length
            const matrix = checkedMatrix({ rows, cols: x.length / rows, values: x })
            const { n, matrix: squares } = await gram(matrix, work.pause)
            const eigen = await symmetricEigen(n, squares, work.pause)
            cut.set(segment, await projected(matrix, eigen, rank, work.pause))
          }
          stored.set(i, cut)
        } finally {
          layer.dispose()
        }
      }
      await work.pause()
    }
    return { states, crossQueries, waiting, stored }
  } finally {
    uploaded.dispose()
    scratch.dispose()
  }
}

/** The stream x [T, D] through one layer. */
function carried(backend: Backend, decoder: Decoder, step: Step, index: number, x: Tensor): Tensor {
  const { config, weights } = decoder
  const layer = config.layers[index] as LayerConfig
  return runLayer(layerStep(backend, decoder, step, index), config, layer, weights.layers[index] as LayerWeights, x)
}

/** Vectors of all tokens, [T, heads, width], as f32 [T, heads * width]. */
export async function storedRows(kernels: Kernels, x: Tensor): Promise<Float32Array> {
  return withMemory(kernels, async take => {
    const y = take(x.shape)
    kernels.copy(y, x)
    await kernels.submit()
    return (await kernels.memory.read(y)) as Float32Array
  })
}

/** Operations of a layer whose heads find something else; `seen` hears where what its cross-attention makes queries of is kept. */
function seamsOf(
  kernels: Kernels,
  uploaded: Scratch,
  { config, weights }: Decoder,
  index: number,
  heads: readonly HeadChange[],
  seen: (queries: Tensor) => void,
): Operations {
  const { attention, cross } = weights.layers[index] as LayerWeights
  if (heads.length === 0 && !cross) return kernels
  const matmul: Operations['matmul'] = (y, x, w, options) => {
    if (w === attention.weights.out.weight && heads.length > 0) {
      const found = splitHeads(x, attendingLayer(config, index).attention.nHeads)
      for (const change of heads) replaceHead(kernels, uploaded, found, change)
    }
    if (w === cross?.query.weight) {
      const queries = uploaded.take(x.shape)
      kernels.copy(queries, x)
      seen(queries)
    }
    kernels.matmul(y, x, w, options)
  }
  return diverted(kernels, { matmul })
}

/** found [T, H, V] */
function replaceHead(kernels: Kernels, uploaded: Scratch, found: Tensor, { head, rows, values }: HeadChange): void {
  const n = rows[1] - rows[0]
  const V = found.shape[2] as number
  const own = uploaded.take([n, V])
  kernels.memory.upload(own, values ?? new Float32Array(n * V))
  kernels.copy(rowsOf(headView(found, head), rows[0], n), own)
}

/** The logits of rows of a state, f32 [n, D] to [n, vocab]: the final norm and the output. Throws UnsupportedModelError. */
export async function logitsOf(kernels: Kernels, decoder: Decoder, rows: Float32Array): Promise<Float32Array> {
  const { config, weights } = decoder
  const { output } = weights
  if (!output) {
    throw new UnsupportedModelError(
      `This model (${config.modelType}) is an encoder: it has no output over its vocabulary, and so no next token`,
    )
  }
  const scratch = new Arena(kernels.memory)
  try {
    const n = rows.length / config.hiddenSize
    const backend = { ops: kernels, scratch, keys: contiguousKeys(kernels, scratch) }
    const x = scratch.take([n, config.hiddenSize])
    const index = scratch.take([n], 'i32')
    kernels.memory.upload(x, rows)
    kernels.memory.upload(
      index,
      Int32Array.from({ length: n }, (_, i) => i),
    )
    const logits = scratch.take([n, config.vocabSize])
    writeLogits(backend, logits, finalRows(backend, decoder, x, index), output, config)
    await kernels.submit()
    return (await kernels.memory.read(logits)) as Float32Array
  } finally {
    scratch.dispose()
  }
}

/** What leaves a text's last layer, f32 [T, D], after the final norm where the model has one. */
export async function finalNormed(kernels: Kernels, decoder: Decoder, state: Float32Array): Promise<Float32Array> {
  const scratch = new Arena(kernels.memory)
  try {
    const x = scratch.take([state.length / decoder.config.hiddenSize, decoder.config.hiddenSize])
    kernels.memory.upload(x, state)
    const y = finalStates({ ops: kernels, scratch, keys: contiguousKeys(kernels, scratch) }, decoder, x)
    await kernels.submit()
    return (await kernels.memory.read(y)) as Float32Array
  } finally {
    scratch.dispose()
  }
}
