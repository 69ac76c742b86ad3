import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import { SIZE } from './ranges.ts'

/**
 * Sizes of MLA. Files whose up-projections are apart describe the cache (one head of C + R) and keep the heads' sizes
 * under `*_mla`; older ones describe the heads. `valueLength` where the file may leave it out.
 */
export function latentSizes(m: Metadata, valueLength?: number): JsonObject {
  const rope = m.int('{arch}.rope.dimension_count', SIZE)
  const mla = m.has('{arch}.attention.key_length_mla') ? '_mla' : ''
  const key = m.int(`{arch}.attention.key_length${mla}`, SIZE)
  const value = m.optionalInt(`{arch}.attention.value_length${mla}`, SIZE) ?? valueLength
  if (key <= rope) m.fail(`{arch}.attention.key_length${mla}`, `more than the ${rope} that rope turns`)
  const queryRank = m.optionalInt('{arch}.attention.q_lora_rank', { max: SIZE.max }) || null
  return {
    q_lora_rank: queryRank,
    kv_lora_rank: m.int('{arch}.attention.kv_lora_rank', SIZE),
    qk_rope_head_dim: rope,
    qk_nope_head_dim: key - rope,
    v_head_dim: value ?? m.missing(`{arch}.attention.value_length${mla}`, 'an integer'),
  }
}
