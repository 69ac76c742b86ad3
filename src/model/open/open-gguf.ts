import { Checkpoint } from '../../checkpoint/checkpoint.ts'
import type { GgufTensor } from '../../checkpoint/gguf/header.ts'
import { embeddingFactsOf } from '../../checkpoint/gguf/pooling.ts'
import { generationConfigOf } from '../../checkpoint/gguf/sampling.ts'
import { readGgufSet } from '../../checkpoint/gguf/split.ts'
import { renameTensors } from '../../checkpoint/gguf/tensor-naming.ts'
import { withScales } from '../../checkpoint/gguf/tensor-scales.ts'
import { tokenizerOf, tokenizerWarnings } from '../../checkpoint/gguf/tokenizer.ts'
import { quote } from '../../checkpoint/quote.ts'
import { readFloats } from '../../checkpoint/read-tensor.ts'
import type { CheckpointFiles } from '../../checkpoint/source/checkpoint-files.ts'
import { CheckpointError } from '../../errors.ts'
import { architectureOf } from '../../families/architectures.ts'
import type { RopeTensors } from '../../families/gguf/architecture.ts'
import { withLogarithms } from '../../families/gguf/decay-rates.ts'

/**
 * A GGUF file, or the set that `name` is a part of, as a checkpoint like those of the hub: config and tensor names in
 * the hub's spelling, the tokenizer in the form of its files. No weights are read. Throws CheckpointError or UnsupportedModelError naming what is wrong.
 */
export async function openGguf(
  files: CheckpointFiles,
  name: string,
  options: { readonly tokenizer?: boolean } = {},
): Promise<Checkpoint> {
  const { metadata, tensors: stored } = await readGgufSet(files, name)
  const architecture = architectureOf(metadata, stored)
  const tensors = withScales(stored, architecture.naming)
  const { ropeTensors, others } = await takeRopeTensors(tensors, metadata.file)
  const generationConfig = generationConfigOf(metadata)
  const carriesState = (layer: number) => others.has(`blk.${layer}.ssm_a`)
  return new Checkpoint({
    name: files.name,
    configFile: metadata.file,
    ...(generationConfig && { generationConfig }),
    config: architecture.config({ metadata, tensors: others, ropeTensors }),
    ...(options.tokenizer !== false && tokenizerOf(metadata)),
    embedding: embeddingFactsOf(metadata),
    tensors: withLogarithms(renameTensors(others.values(), architecture.naming, carriesState), architecture),
    canonical: true,
    warnings: tokenizerWarnings(metadata),
  })
}

const ROPE_TENSORS = {
  frequencies: 'rope_freqs.weight',
  long: 'rope_factors_long.weight',
  short: 'rope_factors_short.weight',
} as const

/** More than half of any head. */
const MAX_FACTORS = 1 << 16

async function takeRopeTensors(tensors: ReadonlyMap<string, GgufTensor>, file: string) {
  const others = new Map(tensors)
  const ropeTensors: { -readonly [K in keyof RopeTensors]: RopeTensors[K] } = {}
  for (const [role, name] of Object.entries(ROPE_TENSORS) as [keyof RopeTensors, string][]) {
    const tensor = tensors.get(name)
    if (tensor === undefined) continue
    others.delete(name)
    const { type: dtype, shape, bytes } = tensor
    if (shape.length !== 1 || (shape[0] as number) > MAX_FACTORS) {
      const met = `has shape [${shape.join(', ')}]`
      throw new CheckpointError(`${file}: tensor ${quote(name)} ${met}; expected one number per frequency of the rope`)
    }
    ropeTensors[role] = [...(await readFloats({ name, dtype, shape, bytes }))]
  }
  return { ropeTensors, others }
}
