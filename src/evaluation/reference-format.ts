/**
 * The format of a reference file: safetensors, so that one run of an expensive model serves many comparisons. For n scored
 * rows of w windows:
 *
 *     nll     F32 [n]        -ln p of the token that follows
 *     range   F32 [n, 2]     lowest log-probability of the row, and the step of its codes
 *     tokens  I32 [w, size]
 *     codes   U16 [n, vocabulary]
 *
 * A log-probability is lowest + code x step. The 65535 steps span the row from its lowest to its highest value: half a
 * step is 3e-4 nats for a span of 35. Nothing is clipped at the lower end, and only the likeliest token has the highest
 * code. The reader normalises each row's sum to 1, which removes the common shift by rounding; the remaining error of a
 * token's divergence is about half a step times the mean difference of the two models' log-probabilities, in either
 * direction.
 */
import type { SafetensorsDType } from '../checkpoint/safetensors/dtypes.ts'
import type { Summary } from './distribution.ts'
import { ReferenceFileError } from './errors.ts'
import type { Cut } from './windows.ts'

export const FORMAT = 'latentkit-reference-1'
const HIGHEST_CODE = 65535

export interface DeclaredTensor {
  readonly dtype: SafetensorsDType
  readonly shape: readonly number[]
}
export type ReferenceTensors = Readonly<Record<'nll' | 'range' | 'tokens' | 'codes', DeclaredTensor>>

/** In the order of the file. The codes, by far the largest, come last. */
export function referenceTensors({ size, from }: Cut, windows: number, vocabSize: number): ReferenceTensors {
  const n = windows * (size - from)
  return {
    nll: { dtype: 'F32', shape: [n] },
    range: { dtype: 'F32', shape: [n, 2] },
    tokens: { dtype: 'I32', shape: [windows, size] },
    codes: { dtype: 'U16', shape: [n, vocabSize] },
  }
}

/** The header's metadata. */
export function referenceMetadata(model: string, { size, step, from }: Cut): Record<string, string> {
  return { format: FORMAT, model, window: String(size), step: String(step), scored_from: String(from) }
}

/** Writes a row's codes; returns its lowest log-probability and step. Throws ReferenceFileError for a masked token. */
export function encodeRow(codes: Uint16Array, row: Float32Array, { top, logSum }: Summary): readonly [number, number] {
  let lowest = Number.POSITIVE_INFINITY
  for (const value of row) if (value < lowest) lowest = value
  if (lowest === Number.NEGATIVE_INFINITY) {
    throw new ReferenceFileError('The model masks tokens (a logit is -Infinity), which a reference file cannot keep')
  }
  const step = Math.fround(((row[top] as number) - lowest) / HIGHEST_CODE)
  const perNat = step === 0 ? 0 : 1 / step
  for (let i = 0; i < row.length; i++) {
    const code = Math.round(((row[i] as number) - lowest) * perNat)
    codes[i] = Math.min(code, HIGHEST_CODE - 1)
  }
  codes[top] = HIGHEST_CODE
  return [lowest - logSum, step]
}

export function decodeRow(row: Float32Array, codes: Uint16Array, lowest: number, step: number): void {
  for (let i = 0; i < row.length; i++) row[i] = lowest + (codes[i] as number) * step
}
