/** Families that do not run here, by `model_type`: the nearest that does, and what it lacks. */
export type Lacks = readonly [near: string, lacks: string]

const BESIDE = 'attention and MLP side by side behind one norm'

export const KNOWN: Readonly<Record<string, Lacks>> = {
  mixtral: ['qwen3_moe', 'the names of its experts (block_sparse_moe)'],
  qwen2_moe: ['qwen3_moe', 'a shared expert with a gate, and biases of q, k and v'],
  glm4_moe: ['glm4_moe_lite', 'keys and values per head in place of latents'],
  olmoe: ['qwen3_moe', 'norms over all heads of q and k'],
  phimoe: ['qwen3_moe', 'LayerNorm, and its choice of experts'],
  granitemoe: ['granite', 'experts'],
  ernie4_5_moe: ['ernie4_5', 'experts'],
  hunyuan_v1_moe: ['hunyuan_v1_dense', 'experts'],
  gemma: ['gemma3_text', 'blocks of two norms, without norms of q and k'],
  gemma2: ['gemma3_text', 'scores with a soft cap, without norms of q and k'],
  olmo3: ['olmo2', 'windows in three of four layers'],
  exaone4: ['olmo2', 'norms of q and k for each head, and layers that rotate nothing'],
  cohere: ['llama', `${BESIDE}, and LayerNorm without biases`],
  cohere2: ['llama', `${BESIDE}, LayerNorm without biases, and layers that rotate nothing`],
  starcoder2: ['llama', 'LayerNorm with biases, and MLPs without a gate'],
  stablelm: ['llama', 'LayerNorm, and rope on a part of each head'],
  phi: ['phi3', `${BESIDE}, LayerNorm and biases`],
  internlm2: ['llama', 'q, k and v in one matrix (wqkv)'],
  gpt_neox: ['gpt2', 'rotary positions, and attention and MLP side by side'],
  gptj: ['gpt2', 'rotary positions, and attention and MLP side by side'],
  gpt_bigcode: ['gpt2', 'keys and values that all heads share'],
  bloom: ['gpt2', 'alibi positions, and a norm on embeddings'],
  opt: ['gpt2', 'MLPs with relu, and its positions'],
}
