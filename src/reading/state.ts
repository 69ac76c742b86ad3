/** The residual stream of a text, before each layer and behind the last. */
import { UnsupportedModelError } from '../errors.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import { Arena } from '../nn/arena.ts'
import { contiguousKeys } from '../nn/attention/keys.ts'
import { runLayer } from '../nn/block.ts'
import type { LayerConfig } from '../nn/config.ts'
import { type Decoder, embedded, finalRows, layerStep } from '../nn/decoder.ts'
import { linear } from '../nn/layers.ts'
import { prepareStep } from '../nn/step.ts'
import type { LayerWeights } from '../nn/weights.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Sharing } from './sharing.ts'
import type { WholeText } from './whole-text.ts'

/** f32 [T, D] for each of the L layers what enters it, and at last what leaves the last one. Each layer is a turn of its own. */
export async function readStates(
  kernels: Kernels,
  decoder: Decoder,
  text: WholeText,
  work: Sharing,
): Promise<Float32Array[]> {
  const { config, weights } = decoder
  const scratch = new Arena(kernels)
  try {
    const keys = contiguousKeys(kernels, scratch)
    const backend = { ops: kernels, scratch, keys }
    const states: Float32Array[] = []
    let x: Tensor | null = null
    const step = prepareStep(kernels, scratch, [text.input], keys, decoder.ropes)
    for (let i = 0; i <= config.layers.length; i++) {
      const state = await work.turn(async () => {
        x = x
          ? runLayer(
              layerStep(backend, decoder, step, i - 1),
              config,
              config.layers[i - 1] as LayerConfig,
              weights.layers[i - 1] as LayerWeights,
              x,
            )
          : embedded(backend, decoder, step)
        await kernels.submit(work.pause)
        return (await kernels.read(x)) as Float32Array
      })
      states.push(state)
      await work.pause()
    }
    return states
  } finally {
    scratch.dispose()
  }
}

/** The logits of rows of a state, f32 [n, D] to [n, vocab]: the final norm and the output. Throws UnsupportedModelError. */
export async function logitsOf(kernels: Kernels, decoder: Decoder, rows: Float32Array): Promise<Float32Array> {
  const { config, weights } = decoder
  if (!weights.output) {
    throw new UnsupportedModelError(
      `This model (${config.modelType}) is an encoder: it has no output over its vocabulary, and so no next token`,
    )
  }
  const scratch = new Arena(kernels)
  try {
    const n = rows.length / config.hiddenSize
    const backend = { ops: kernels, scratch, keys: contiguousKeys(kernels, scratch) }
    const x = scratch.take([n, config.hiddenSize])
    const index = scratch.take([n], 'i32')
    kernels.upload(x, rows)
    kernels.upload(
      index,
      Int32Array.from({ length: n }, (_, i) => i),
    )
    const logits = scratch.take([n, config.vocabSize])
    linear(kernels, logits, finalRows(backend, decoder, x, index), weights.output, { scale: config.logitScale })
    await kernels.submit()
    return (await kernels.read(logits)) as Float32Array
  } finally {
    scratch.dispose()
  }
}
