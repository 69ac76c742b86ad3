import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundledModel } from '../../src/checkpoint/find/bundled-model.ts'

/** Of a second layer with four experts, of which each token takes two, and a shared one. */
export const EXPERTS = {
  ...{ first_k_dense_replace: 1, n_routed_experts: 4, num_experts_per_tok: 2, n_shared_experts: 1, n_group: 1 },
  ...{
    topk_group: 1,
    moe_intermediate_size: 8,
    scoring_func: 'sigmoid',
    topk_method: 'noaux_tc',
    norm_topk_prob: true,
  },
  ...{ routed_scaling_factor: 1 },
}

/** A folder with a small config, changed as `changes` say, and the bundled model's tokenizer, without weights. */
export function smallModel(folder: string, changes: object = {}): string {
  mkdirSync(folder)
  const config = JSON.parse(readFileSync(join(bundledModel(), 'config.json'), 'utf8'))
  const small = {
    ...{
      hidden_size: 16,
      intermediate_size: 24,
      num_hidden_layers: 2,
      first_k_dense_replace: 2,
      num_attention_heads: 2,
    },
    ...{
      num_key_value_heads: 2,
      q_lora_rank: null,
      kv_lora_rank: 8,
      qk_rope_head_dim: 4,
      qk_nope_head_dim: 6,
      v_head_dim: 6,
      num_nextn_predict_layers: 0,
    },
  }
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...small, ...changes }))
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) cpSync(join(bundledModel(), file), join(folder, file))
  return folder
}

/** Six short documents. */
export const STORIES = Array.from({ length: 6 }, (_, i) => `The cat ${i} sat on the mat. The dog sat on the cat.`).join(
  '<|endoftext|>',
)
