/** config.json and generation_config.json for the hub's own code. */

import type { JsonObject } from '../../checkpoint/json-file.ts'
import { UnsupportedModelError } from '../../errors.ts'
import { LATENT_NORM_EPS } from '../../nn/attention/config.ts'
import { commonAttention, type ModelConfig } from '../../nn/config.ts'
import type { SourceModel } from '../source-model.ts'
import { llama3Scaling } from './llama3-scaling.ts'
import type { HubType } from './plan-tensors.ts'

const DTYPES: Readonly<Record<HubType, string>> = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' }

/** `biases`: what the file has to say of them, by field. */
export function hubConfig(
  { checkpoint, config, family }: SourceModel,
  type: HubType,
  biases: Readonly<Record<string, boolean>>,
): JsonObject {
  // The weights of such norms are written for this eps.
  const constant = checkpoint.config.constant_latent_norm !== undefined && { constant_latent_norm: LATENT_NORM_EPS }
  if (!checkpoint.canonical) {
    // FP8 has become numbers. transformers 5 calls the type `dtype`.
    const { quantization_config: _, ...written } = checkpoint.config
    // The language model of one that sees has no architectures of its own.
    const named = family.hubClass && !written.architectures ? { architectures: [family.hubClass] } : {}
    const rest: JsonObject = { ...named, ...written }
    const announced = Object.entries(biases).filter(([key, used]) => used && rest[key] !== true)
    const keys = ['torch_dtype', 'dtype'].filter(key => Object.hasOwn(rest, key))
    const types = (keys.length > 0 ? keys : ['torch_dtype']).map(key => [key, DTYPES[type]])
    return { ...rest, ...constant, ...Object.fromEntries([...announced, ...types]) }
  }
  const dtype = { torch_dtype: DTYPES[type] }
  const {
    rope_interleave: _,
    rope_scaling: scaling,
    attention_bias: _a,
    mlp_bias: _m,
    linear_keys_by_turns: _t,
    num_nextn_predict_layers: _p,
    ...rest
  } = checkpoint.config
  const attention = commonAttention(config)
  return {
    ...(family.hubClass && { architectures: [family.hubClass] }),
    ...rest,
    ...biases,
    // The hub's code counts the heads that attend, not those that are cached.
    ...(attention?.kind === 'latent' && { num_key_value_heads: attention.nHeads }),
    ...constant,
    ...(scaling !== undefined && { rope_scaling: ropeScaling(scaling as JsonObject, config) }),
    ...dtype,
  }
}

/** Divisors without a rule are llama.cpp's; on the hub they follow Llama 3's. */
function ropeScaling(scaling: JsonObject, { ropes, maxPositions }: ModelConfig): JsonObject {
  if (scaling.rope_type !== 'factors') return scaling
  const [rope] = ropes
  const found = rope && llama3Scaling(rope, maxPositions)
  if (found) return found
  throw new UnsupportedModelError(
    "The model's rope has a divisor for every frequency (rope_freqs.weight) that do not follow Llama 3's rule; " +
      'a config.json has no way to say that',
  )
}

/** What ends a text and how it is drawn, for engines that read nothing else. */
export function hubGenerationConfig({ checkpoint, config }: SourceModel): JsonObject {
  const { bosTokenId, eosTokenIds } = config
  const { generationConfig: given } = checkpoint
  if (given && !checkpoint.canonical) return given
  return {
    ...(bosTokenId !== null && { bos_token_id: bosTokenId }),
    ...(eosTokenIds.length > 0 && { eos_token_id: eosTokenIds.length === 1 ? eosTokenIds[0] : eosTokenIds }),
    ...(given && drawing(given)),
  }
}

/** A GGUF file's settings as transformers takes them: only with do_sample, and greedy by that and not by temperature 0. */
function drawing({ temperature, ...others }: JsonObject): JsonObject {
  return temperature === 0
    ? { do_sample: false }
    : { do_sample: true, ...(temperature !== undefined && { temperature }), ...others }
}
