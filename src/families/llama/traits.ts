/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const llama: FamilyTraits = { modelTypes: ['llama'] }

export const mistral: FamilyTraits = { modelTypes: ['mistral'], window: 4096 }

export const qwen2: FamilyTraits = { modelTypes: ['qwen2'], bias: { qkv: true } }

export const qwen3: FamilyTraits = { modelTypes: ['qwen3'], norm: { qk: true }, headDim: 128 }
