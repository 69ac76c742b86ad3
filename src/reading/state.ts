/** The residual stream of a text, before each layer and behind the last. */
import { UnsupportedModelError } from '../errors.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Operations } from '../kernels/operations/table.ts'
import { Arena } from '../nn/arena.ts'
import { contiguousKeys } from '../nn/attention/keys.ts'
import type { Backend } from '../nn/attention/step.ts'
import { runLayer } from '../nn/block.ts'
import { attendingLayer, type LayerConfig } from '../nn/config.ts'
import { type Decoder, embedded, finalRows, layerStep, writeLogits } from '../nn/decoder.ts'
import { KeepingScratch, type Scratch } from '../nn/scratch.ts'
import { prepareStep } from '../nn/step.ts'
import type { LayerWeights } from '../nn/weights.ts'
import { rowsOf, splitHeads, type Tensor } from '../tensor/tensor.ts'
import { type Changes, type HeadChange, type LayerChanges, NO_CHANGES, type StoredByLayer } from './changes.ts'
import { diverted, replacedKeys, type StoredRows } from './diverted.ts'
import { headView, withMemory } from './heads.ts'
import type { Sharing } from './sharing.ts'
import { checkedMatrix } from './spectrum.ts'
import { gram, projected, symmetricEigen } from './svd.ts'
import { WatchedLayer } from './watched-layer.ts'
import type { WholeText } from './whole-text.ts'

export interface States {
  /** f32 [T, D] for each of the L layers what enters it, and at last what leaves the last one. */
  readonly states: readonly Float32Array[]
  readonly stored: StoredByLayer
}

/** Each layer is a turn of its own. */
export async function readStates(
  kernels: Kernels,
  decoder: Decoder,
  text: WholeText,
  changes: Changes,
  work: Sharing,
): Promise<States> {
  const { config, weights } = decoder
  const scratch = new Arena(kernels.memory)
  // What is uploaded while a layer is recorded must not lie where operations that are not yet run will write.
  const uploaded = new KeepingScratch(kernels.memory)
  try {
    const states: Float32Array[] = []
    const stored = new Map<number, StoredRows>()
    const keys = contiguousKeys(kernels, scratch)
    const backend = { ops: kernels, scratch, keys }
    const step = prepareStep(kernels.memory, scratch, [text.input], keys, decoder)
    const begin = () => embedded(backend, decoder, step)
    const carry = (index: number, x: Tensor) => {
      const own = changes.get(index)
      const changed = own ? changedBackend(backend, kernels, uploaded, decoder, index, own, stored.get(index)) : backend
      return runLayer(
        layerStep(changed, decoder, step, index),
        config,
        config.layers[index] as LayerConfig,
        weights.layers[index] as LayerWeights,
        x,
      )
    }
    let x: Tensor | null = null
    for (let i = 0; i <= config.layers.length; i++) {
      const { states: others, ranks } = changes.get(i) ?? NO_CHANGES
      const stream = await work.turn(async () => {
        x = x ? carry(i - 1, x) : begin()
        await kernels.submit(work.pause)
        uploaded.dispose()
        const state = (await kernels.memory.read(x)) as Float32Array
        for (const { row, values } of others) state.set(values, row * config.hiddenSize)
        if (others.length > 0) kernels.memory.upload(x, state)
        return state
      })
      states.push(stream)
      if (ranks.length > 0) {
        const run = { kernels, decoder, text, index: i, stream }
        const layer = await work.turn(() => WatchedLayer.of(run, work.pause))
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
    return { states, stored }
  } finally {
    uploaded.dispose()
    scratch.dispose()
  }
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

/** What runs a layer whose heads find something else, or which stores other rows. */
function changedBackend(
  { scratch }: Backend,
  kernels: Kernels,
  uploaded: Scratch,
  { config, weights }: Decoder,
  index: number,
  { heads }: LayerChanges,
  stored: StoredRows | undefined,
): Backend {
  const { nHeads } = attendingLayer(config, index).attention
  const { out } = (weights.layers[index] as LayerWeights).attention.weights
  const matmul: Operations['matmul'] = (y, x, w, options) => {
    if (w === out.weight) for (const change of heads) replaceHead(kernels, uploaded, splitHeads(x, nHeads), change)
    kernels.matmul(y, x, w, options)
  }
  const ops = diverted(kernels, { matmul })
  return { ops, scratch, keys: replacedKeys(contiguousKeys(ops, scratch), kernels.memory, uploaded, stored) }
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
