/** MiniCPM3: MLA in the old layout, LongRoPE's factors as tensors. */
import type { Architecture } from './architecture.ts'
import { decoderConfig, headCount } from './common.ts'
import { latentSizes } from './latent.ts'
import { LATENT } from './naming.ts'

/** No file carries them; they are those of the one model published. */
const FACTORS = { scale_emb: 12, scale_depth: 1.4, dim_model_base: 256 }

export const minicpm3: Architecture = {
  naming: LATENT,
  config(model) {
    const { metadata: m } = model
    const valueLength = m.int('{arch}.embedding_length') / headCount(m)
    return { ...decoderConfig(model), ...latentSizes(m, valueLength), ...FACTORS, model_type: 'minicpm3' }
  },
}
