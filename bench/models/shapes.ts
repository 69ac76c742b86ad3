/** The work models' shapes; their weights are random and mean nothing. llama.cpp loads all of them. */
import { BYTE_TO_CHAR } from '../../src/tokenizer/byte-level.ts'
import { groupedModel, qwenModel } from './grouped.ts'
import { lingModel } from './hybrid.ts'
import { latentModel } from './latent.ts'
import type { RandomModel } from './write-model.ts'

/** The first token that is a byte, behind those that begin and end texts. */
const FIRST_BYTE = 3

/**
 * The same with tokens that are single bytes, so that texts can be its prompts. Two zero bytes are one token too: a vocabulary
 * needs a merge, and programs differ in what they do with one whose result is no token.
 */
function withBytes({ metadata, tensors }: RandomModel, vocabulary: number): RandomModel {
  const zero = BYTE_TO_CHAR[0] as string
  const texts = [...BYTE_TO_CHAR, zero + zero]
  const tokens = Array.from({ length: vocabulary }, (_, i) => texts[i - FIRST_BYTE] ?? `<t${i}>`)
  const names: RandomModel['metadata'] = {
    'tokenizer.ggml.tokens': ['array', 'string', tokens],
    'tokenizer.ggml.merges': ['array', 'string', [`${zero} ${zero}`]],
  }
  return { metadata: { ...metadata, ...names }, tensors }
}

const DENSE = { layers: 8, width: 2048, heads: 16, feedForward: 5632, vocabulary: 32_000, type: 'q8_0' } as const
const LITE = { layers: 27, width: 2048, heads: 16, feedForward: 10_944, vocabulary: 102_400, type: 'q4_0' } as const

/** Qwen3-30B-A3B with 12 of its 48 layers. */
const QWEN = { layers: 12, width: 2048, heads: 32, feedForward: 6144, vocabulary: 151_936, type: 'q4_0' } as const
/** Ling-3.0-tiny. */
const LING = { layers: 24, width: 1536, heads: 16, feedForward: 4608, vocabulary: 157_184, type: 'q4_0' } as const

interface WorkModel {
  readonly what: string
  readonly make: () => RandomModel
  /** Layers carry a state, which cannot be taken back: a text that is measured goes on from round to round. */
  readonly carriesState?: true
}

export const SHAPES: Readonly<Record<string, WorkModel>> = {
  'mla-q8': { what: 'MLA, dense, latent 512 + 64, 531 MB', make: () => latentModel(DENSE, 768, null) },
  'mla-q8-bytes': {
    what: 'the same, and reads texts byte by byte',
    make: () => withBytes(latentModel(DENSE, 768, null), DENSE.vocabulary),
  },
  'gqa-q8': { what: 'its llama twin, 4 key/value heads', make: () => groupedModel(DENSE, 4) },
  'lite-q4': {
    what: "DeepSeek-V2-Lite's shape, 64 experts, 9 GB",
    make: () => latentModel(LITE, null, { count: 64, active: 6, shared: 2, width: 1408 }),
  },
  'qwen-q4': {
    what: "Qwen3-30B-A3B's shape cut to 12 layers, 128 experts, 4.6 GB",
    make: () => qwenModel(QWEN, 4, { count: 128, active: 8, shared: 0, width: 768 }),
  },
  'ling-q4': {
    what: "Ling-3.0-tiny's shape, 18 layers with states and 6 with latents, 128 experts, 4.5 GB",
    carriesState: true,
    make: () => lingModel(LING, 256, 4, { count: 128, active: 8, shared: 1, width: 512 }),
  },
}
