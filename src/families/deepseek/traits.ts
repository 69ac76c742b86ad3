/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const deepseekV2: FamilyTraits = { modelTypes: ['deepseek_v2'] }

export const deepseekV3: FamilyTraits = { modelTypes: ['deepseek_v3', 'kimi_k2', 'glm4_moe_lite'] }
