/** The models that training is measured on, as config.json has them. */
import { existsSync, readFileSync } from 'node:fs'
import { refuse } from '../support/options.ts'

export type Config = Readonly<Record<string, unknown>>

const TALES = 'models/tales-mla-8m/config.json'
/** SmolLM2-135M. */
const SMOLLM2: Config = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  ...{ vocab_size: 49_152, hidden_size: 576, intermediate_size: 1536, num_hidden_layers: 30, num_attention_heads: 9 },
  ...{ num_key_value_heads: 3, hidden_act: 'silu', max_position_embeddings: 8192, rms_norm_eps: 1e-5 },
  ...{ rope_theta: 100_000, attention_bias: false, tie_word_embeddings: true, bos_token_id: 1, eos_token_id: 2 },
}

/** By a name, or from a file. */
export function shapeOf(name: string): Config {
  if (name === 'tales') return tales()
  if (name === 'smollm2') return SMOLLM2
  if (name === 'twin') return twin(tales())
  return read(name)
}

/** The bundled model's, without its module of multi-token prediction, which PyTorch does not train. */
function tales(): Config {
  const { num_nextn_predict_layers: _, ...shape } = read(TALES)
  return shape
}

function read(file: string): Config {
  if (!existsSync(file))
    refuse(`${file} is not there; a name is one of tales, twin, smollm2, or the path of a config.json`)
  return JSON.parse(readFileSync(file, 'utf8')) as Config
}

/** The llama of the same width, depth and heads, each head with keys and values of its own. */
function twin(latent: Config): Config {
  const same = [
    ...['vocab_size', 'hidden_size', 'intermediate_size', 'num_hidden_layers', 'num_attention_heads', 'hidden_act'],
    ...['max_position_embeddings', 'rms_norm_eps', 'rope_theta', 'attention_bias', 'tie_word_embeddings'],
    ...['bos_token_id', 'eos_token_id'],
  ]
  return {
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    ...Object.fromEntries(same.map(name => [name, latent[name]])),
    num_key_value_heads: latent.num_attention_heads,
  }
}
