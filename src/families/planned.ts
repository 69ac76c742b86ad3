/** Families that are planned only: their sizes are known, their arithmetic is not. */
import { ALL_BIASES, type FamilyTraits } from './traits.ts'

const FALCON = { norm: { kind: 'layer', perLayer: 1 }, gated: false, tiedEmbeddings: true } as const

export const PLANNED: readonly FamilyTraits[] = [
  {
    modelTypes: ['mixtral'],
  },
  { modelTypes: ['plm'], gated: false, tiedEmbeddings: true },
  { modelTypes: ['gemma'], tiedEmbeddings: true, headDim: 256 },
  { modelTypes: ['gemma2'], norm: { perLayer: 4 }, tiedEmbeddings: true, headDim: 256, windowPattern: 2 },
  { modelTypes: ['RefinedWeb'], ...FALCON },
  {
    modelTypes: ['gpt_bigcode'],
    ...{ norm: { kind: 'layer' }, bias: ALL_BIASES, gated: false, learnedPositions: true, tiedEmbeddings: true },
  },
  {
    modelTypes: ['starcoder2'],
    ...{ norm: { kind: 'layer' }, bias: ALL_BIASES, oneBiasSwitch: true, gated: false, tiedEmbeddings: true },
  },
  { modelTypes: ['phi'], norm: { kind: 'layer', perLayer: 1 }, bias: { ...ALL_BIASES, output: true }, gated: false },
]
