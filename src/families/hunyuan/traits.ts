/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const hunyuanDense: FamilyTraits = { modelTypes: ['hunyuan_v1_dense'], norm: { qk: true } }
