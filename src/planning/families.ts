/**
 * What a family's blocks have beside attention and MLP, as words by `model_type`; no word: as Llama. `layer` LayerNorm
 * with bias, `norms1` and `norms4` norms per layer (else 2), `endless` no final norm, `qk` norms over the heads of q and
 * k, `qkv` biases there, `all` biases everywhere, `head` one on the output, `sinks` a number per head in the softmax and
 * a bias on the router, `ungated` MLPs of two matrices, `positions` a learned table, `tied` embeddings unless told,
 * `plain` no bias on the attention's output though q, k and v have one.
 */
import type { PlanModel } from './plan-model.ts'

const GPT = 'layer all ungated positions tied'
const FALCON = 'layer norms1 ungated tied'

const FAMILIES: Readonly<Record<string, string>> = {
  llama: '',
  mistral: '',
  mixtral: '',
  phi3: '',
  deepseek_v2: '',
  deepseek_v3: '',
  deepseek_v32: '',
  axk2: '',
  bailing_hybrid: '',
  kimi_k2: '',
  kimi_linear: '',
  longcat_flash: '',
  mistral4: '',
  sarvam_mla: '',
  glm4_moe_lite: '',
  glm_moe_dsa: '',
  minicpm3: 'tied',
  youtu: 'tied',
  youtu_llm: 'tied',
  plm: 'ungated tied',
  ministral3: '',
  granite: 'tied',
  smollm3: 'tied',
  olmo2: '',
  glm4: 'norms4 plain',
  lfm2: 'qk tied',
  qwen2: 'qkv',
  qwen3: 'qk',
  qwen3_moe: 'qk',
  qwen3_5_text: 'qk',
  qwen3_5_moe_text: 'qk',
  qwen3_next: 'qk',
  gemma: 'tied',
  gemma2: 'norms4 tied',
  gemma3_text: 'norms4 qk tied',
  gemma4_text: 'norms4 tied',
  gpt_oss: 'all sinks',
  falcon: FALCON,
  RefinedWebModel: FALCON,
  RefinedWeb: FALCON,
  gpt2: GPT,
  gpt_bigcode: GPT,
  'openai-gpt': `${GPT} endless`,
  starcoder2: 'layer all ungated tied',
  phi: 'layer norms1 all head ungated',
}

export interface FamilyTraits extends Pick<PlanModel, 'norm' | 'bias' | 'gated' | 'sinks' | 'tiedEmbeddings'> {
  readonly learnedPositions: boolean
  /** No bias on the attention's output, whatever `attention_bias` says. */
  readonly plainOutput: boolean
}

export function isKnownFamily(modelType: string): boolean {
  return Object.hasOwn(FAMILIES, modelType)
}

export function familyTraits(modelType: string): FamilyTraits {
  const words = isKnownFamily(modelType) ? (FAMILIES[modelType] as string).split(' ') : []
  const has = (word: string) => words.includes(word)
  const all = has('all')
  return {
    norm: {
      kind: has('layer') ? 'layer' : 'rms',
      perLayer: has('norms1') ? 1 : has('norms4') ? 4 : 2,
      final: !has('endless'),
      qk: has('qk'),
    },
    bias: { qkv: all || has('qkv'), attentionOut: all, mlp: all, router: has('sinks'), output: has('head') },
    gated: !has('ungated'),
    sinks: has('sinks'),
    tiedEmbeddings: has('tied'),
    learnedPositions: has('positions'),
    plainOutput: has('plain'),
  }
}
