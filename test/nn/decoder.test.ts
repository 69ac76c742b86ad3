/**
 * The text of a decoder in other hands: operations that are watched, scratch memory that keeps everything, keys in contiguous
 * rows. It is the seam that training wraps.
 */
import { describe, expect, it } from 'vitest'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { Loader } from '../../src/model/load/loader.ts'
import { loadWeights } from '../../src/model/load/weights.ts'
import { loadModel } from '../../src/model/load.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import type { OpenedModel } from '../../src/model/open/opened-model.ts'
import { contiguousKeys } from '../../src/nn/attention/keys.ts'
import { checkBlocks } from '../../src/nn/block.ts'
import type { LayerConfig, ModelConfig } from '../../src/nn/config.ts'
import { decoder, decoderOf } from '../../src/nn/decoder.ts'
import { KeepingScratch } from '../../src/nn/scratch.ts'
import { NO_PAST, prepareStep } from '../../src/nn/step.ts'
import { checkpointFolders } from '../support/all-fixtures.ts'
import { CheckedOperations } from './checked-operations.ts'
import { mixedModel } from './mixed-model.ts'

const OWN = ['deepseek-v2-lite', 'deepseek-v3-fp8', 'falcon-mqa', 'gemma3-mqa', 'gpt2', 'minicpm3']
/** Longer than a cell of the path grid, so that MLA takes both paths, and a text that it does not. */
const LENGTHS = [133, 21]
/** Of models without MLA. Longer than their windows. */
const SHORT = [37, 21]

/** Logits of whole texts, all in one step, without a cache; and what was called. */
async function watched({ checkpoint, family, config }: OpenedModel, texts: readonly number[][]) {
  const kernels = createReferenceKernels()
  try {
    const checked = new CheckedOperations(kernels)
    const weights = await loadWeights(new Loader(checkpoint, kernels, config, family.names, () => {}))
    const model = decoderOf(config, weights)
    const { ops, memory } = checked
    const scratch = new KeepingScratch(memory)
    const keys = contiguousKeys(ops, scratch)
    const inputs = texts.map(tokens => {
      return { tokens, cache: NO_PAST, prompt: { start: 0, end: tokens.length }, logits: 'all' } as const
    })
    const step = prepareStep(memory, scratch, inputs, keys, model)
    const text = decoder({ ops, scratch, keys }, model, step)
    let layer = text.next()
    while (!layer.done) layer = text.next()
    const logits = (await kernels.memory.read(layer.value)) as Float32Array
    scratch.dispose()
    return { logits, counts: checked.counts }
  } finally {
    kernels.dispose()
  }
}

/** The same by the model, with a cache of f32. */
async function cached(opened: OpenedModel, texts: readonly number[][]): Promise<Float32Array> {
  const kernels = createReferenceKernels()
  try {
    const model = await loadModel(opened, kernels, { cacheType: 'f32' })
    const inputs = texts.map(tokens => {
      return { tokens, cache: model.sequence(), prompt: { start: 0, end: tokens.length }, logits: 'all' } as const
    })
    return (await kernels.memory.read(await model.forward(inputs))) as Float32Array
  } finally {
    kernels.dispose()
  }
}

const textsFor = ({ config }: OpenedModel) =>
  (config.layers.some(l => l.attention.kind === 'latent') ? LENGTHS : SHORT).map(length =>
    Array.from({ length }, (_, i) => (i * 37 + length) % config.vocabSize),
  )

describe('a decoder whose activations are kept, with contiguous keys', () => {
  const models: [string, () => Promise<OpenedModel>][] = [
    ...OWN.map(name => {
      const folder = checkpointFolders().get(name) as string
      return [name, () => openModel(folder)] as [string, () => Promise<OpenedModel>]
    }),
    ['layers of all kinds', async () => mixedModel()],
  ]

  it.each(models)('%s: the same bits as with a cache, each activation written once', async (_, open) => {
    const opened = await open()
    const texts = textsFor(opened)
    const { logits } = await watched(opened, texts)
    expect(logits).toEqual(await cached(opened, texts))
  })

  it('is called as the formulas say', async () => {
    const opened = mixedModel()
    const { layers } = opened.config
    const { counts } = await watched(opened, textsFor(opened))
    const latent = layers.filter(l => l.attention.kind === 'latent')
    const grouped = layers.length - latent.length
    // Of the first text a cell is expanded and the rest absorbed; the second is absorbed. Grouped: a call per text.
    expect(counts.get('attention')).toBe(3 * latent.length + 2 * grouped)
    // Absorbing and up-projecting, in two runs.
    expect(counts.get('headMatmul')).toBe(2 * 2 * latent.length)
    const experts = layers.filter(l => l.mlp.kind === 'moe').length
    expect(counts.get('expertMatmul')).toBe(3 * experts)
    expect(counts.has('cacheWrite') || counts.has('cacheRead')).toBe(false)
  })

  it('the decorator finds what reads too early, and what writes in place', () => {
    const kernels = createReferenceKernels()
    const { ops, memory } = new CheckedOperations(kernels)
    const [x, y] = [memory.alloc('f32', [3, 4]), memory.alloc('f32', [3, 4])]
    expect(() => ops.activate(y, x, 'relu')).toThrow('activate reads what nobody has written')
    memory.upload(x, new Float32Array(12))
    ops.activate(y, x, 'relu')
    expect(() => ops.activate(x, x, 'relu')).toThrow('activate writes over what was written before')
    kernels.dispose()
  })
})

it('refuses parts of layers that blocks of their order would leave out', () => {
  const { config } = mixedModel()
  const [first, ...others] = config.layers as [LayerConfig]
  const cross = { kind: 'grouped', nHeads: 2, nKvHeads: 2, headDim: 4, softmaxScale: 0.5, qkNormEps: null } as const
  const withCross = (blockOrder: ModelConfig['blockOrder']) => () =>
    checkBlocks({ ...config, blockOrder, layers: [{ ...first, cross }, ...others] })
  for (const order of ['pre', 'post'] as const) expect(withCross(order)).not.toThrow()
  for (const order of ['sandwich', 'parallel', 'after'] as const) {
    expect(withCross(order)).toThrow(`Layer 0 of mixed has "cross", for which blocks of order "${order}" have no place`)
  }
})
