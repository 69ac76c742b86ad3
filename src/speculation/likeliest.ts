import { logprobs } from '../sampling/logprobs.ts'
import { argmax } from '../sampling/sampler.ts'

/** The likeliest token by a model's logits, and its probability there. */
export function likeliest(logits: Float32Array): { readonly token: number; readonly probability: number } {
  const token = argmax(logits)
  return { token, probability: Math.exp(logprobs(logits, token).logprob) }
}
