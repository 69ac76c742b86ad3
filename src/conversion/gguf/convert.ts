import { basename } from 'node:path'
import { UnsupportedModelError } from '../../errors.ts'
import { architectureFor } from '../../families/architectures.ts'
import type { Architecture } from '../../families/gguf/architecture.ts'
import { asLayerPastLast, predictionIndices } from '../../model/prediction.ts'
import { settleBiases } from '../biases.ts'
import { forLatentEps } from '../constant-norm.ts'
import { checkRoom, type OutputOptions, writeWhole } from '../output.ts'
import type { SourceModel } from '../source-model.ts'
import { summarise, type Written } from '../written.ts'
import { checkKeys } from './check-keys.ts'
import { modelKeys } from './model-keys.ts'
import { type PlanOptions, planTensors, type TensorToWrite } from './plan-tensors.ts'
import { ropeWarnings } from './rope-keys.ts'
import { addSamplingKeys } from './sampling-keys.ts'
import { addTokenizerKeys } from './tokenizer-keys.ts'
import { fallbackWarnings, fileTypeOf } from './types.ts'
import { ggufHeader, ggufSize, writeGguf } from './write-gguf.ts'

/** A model as a GGUF file, and how to write it. Throws UnsupportedModelError for what GGUF or llama.cpp lack. */
export function prepareGguf(given: SourceModel, options: PlanOptions) {
  const source = forLatentEps(given, Math.fround(given.config.norm.eps))
  const { config, checkpoint } = source
  const architecture = architectureFor(config.modelType)
  refuseLayout(architecture, options)
  const { weights } = settleBiases(
    source.weights,
    architecture.biases ?? [],
    `llama.cpp's architecture ${architecture.name}`,
  )
  const model = {
    ...source,
    weights: weights.map(weight => ({ ...weight, name: asLayerPastLast(source, weight.name) })),
  }
  const predictions = architecture.predictions ? predictionIndices(source).length : 0
  const tensors = planTensors(model, architecture, options)
  const keys = modelKeys(config, architecture, options, predictions)
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
    warnings: [
      ...(architecture.warnings?.(config) ?? []),
      ...ropeWarnings(architecture, config),
      ...fallbackWarnings(tensors, options.weights),
    ],
    write: async (path: string, output: OutputOptions): Promise<Written> => {
      await writeFile(path, header, tensors, output)
      return { files: [path], types }
    },
  }
}

function refuseLayout({ name, splitsKeyValueUp, onceJoined }: Architecture, { legacyMla }: PlanOptions): void {
  if (!legacyMla || !splitsKeyValueUp || onceJoined) return
  throw new UnsupportedModelError(
    `llama.cpp's architecture ${name} is younger than the layout of legacyMla (--legacy-mla), so that no program would read the file; leave it out`,
  )
}

async function writeFile(path: string, header: Uint8Array, tensors: readonly TensorToWrite[], options: OutputOptions) {
  await checkRoom(path, ggufSize(header, tensors))
  await writeWhole(path, output => writeGguf(output, header, tensors), options)
}
