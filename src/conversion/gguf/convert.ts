import { basename } from 'node:path'
import type { ArchitectureName } from '../../families/gguf/index.ts'
import type { ModelConfig } from '../../nn/config.ts'
import { GGUF_BIASES, settleBiases } from '../biases.ts'
import { checkRoom, Output, type OutputOptions } from '../output.ts'
import { attentionOf, type SourceModel } from '../source-model.ts'
import { summarise, type Written } from '../written.ts'
import { architectureFor } from './architecture-for.ts'
import { checkKeys } from './check-keys.ts'
import { modelKeys } from './model-keys.ts'
import { type PlanOptions, planTensors, type TensorToWrite } from './plan-tensors.ts'
import { addSamplingKeys } from './sampling-keys.ts'
import { addTokenizerKeys } from './tokenizer-keys.ts'
import { fallbackWarnings, fileTypeOf } from './types.ts'
import { ggufHeader, ggufSize, writeGguf } from './write-gguf.ts'

/** A model as a GGUF file, and how to write it. Throws UnsupportedModelError for what GGUF or llama.cpp lack. */
export function prepareGguf(source: SourceModel, options: PlanOptions) {
  const { config, checkpoint } = source
  const architecture = architectureFor(config.modelType)
  const { weights } = settleBiases(
    source.weights,
    GGUF_BIASES[architecture] ?? [],
    `llama.cpp's architecture ${architecture}`,
  )
  const model = { ...source, weights }
  const tensors = planTensors(model, architecture, options)
  const keys = modelKeys(config, architecture, options)
  checkKeys(config, architecture, keys, tensors)
  const types = summarise(tensors)
  keys.string('general.name', basename(checkpoint.name).replace(/\.gguf$/i, ''))
  keys.u32('general.file_type', fileTypeOf(options.weights ?? types[0]?.type ?? 'f32'))
  keys.u32('general.quantization_version', 2)
  addSamplingKeys(keys, checkpoint.generationConfig)
  addTokenizerKeys(keys, checkpoint, config)
  const header = ggufHeader(keys, tensors)
  return {
    bytes: ggufSize(header, tensors),
    warnings: [...forLlamaCpp(config, architecture), ...fallbackWarnings(tensors, options.weights)],
    write: async (path: string, output: OutputOptions): Promise<Written> => {
      await writeFile(path, header, tensors, output)
      return { files: [path], types }
    },
  }
}

async function writeFile(path: string, header: Uint8Array, tensors: readonly TensorToWrite[], options: OutputOptions) {
  await checkRoom(path, ggufSize(header, tensors))
  const output = await Output.open(path, options)
  try {
    await writeGguf(output, header, tensors)
    await output.finish()
  } catch (error) {
    await output.discard()
    throw error
  }
}

/** Where llama.cpp itself goes by other rules than the keys of a file. */
function forLlamaCpp(config: ModelConfig, name: ArchitectureName) {
  const { nLayers, vocabSize, hiddenSize, layers, ...c } = config
  const attention = attentionOf(config)
  const warnings: string[] = []
  // It takes a file without a latent of the query for DeepSeek-V2-Lite, which it knows by its depth.
  const known = nLayers === 26 || nLayers === 27 || (nLayers === 48 && vocabSize === 128_256)
  if (name === 'deepseek2' && attention.kind === 'latent' && attention.qLoraRank === null && !known) {
    warnings.push(
      `llama.cpp will not load this file: without q_lora_rank it expects 26 or 27 layers, and there are ${nLayers}`,
    )
  }
  const window = layers.find(layer => layer.window !== null)?.window
  if (name === 'llama' && window) {
    warnings.push(`llama.cpp knows no sliding window in models of this kind: beyond ${window} tokens it differs`)
  }
  const published = c.embeddingScale === 12 && c.logitScale * hiddenSize === 256
  if (name === 'minicpm3' && !published) {
    warnings.push('llama.cpp has the scales of the published MiniCPM3 built in, and this model has others')
  }
  return warnings
}
