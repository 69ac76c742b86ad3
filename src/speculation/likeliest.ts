import { expNegative } from '../sampling/exp.ts'
import { argmax } from '../sampling/sampler.ts'

export interface Likeliest {
  readonly token: number
  /** In the model's own distribution. */
  readonly probability: number
}

/** The likeliest token by a model's logits; of equal ones the first. */
export function likeliest(logits: Float32Array): Likeliest {
  const token = argmax(logits)
  const highest = logits[token] as number
  let sum = 0
  for (let i = 0; i < logits.length; i++) sum += expNegative((logits[i] as number) - highest)
  return { token, probability: 1 / sum }
}
