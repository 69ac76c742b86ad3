import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { Arithmetic } from '../runnable.ts'
import { readActivation, rmsEps } from './common.ts'
import { readRope } from './rope.ts'

/** What models with multi-head latent attention share. */
export function latentArithmetic(
  raw: ConfigReader,
  defaults: {
    readonly interleaved: boolean
    readonly theta?: number
    readonly eps?: number
    readonly partial?: boolean
  },
): Arithmetic {
  const { theta, eps = 1e-6, partial = false } = defaults
  const interleaved = raw.bool('rope_interleave', { default: defaults.interleaved })
  return {
    attention: 'latent',
    eps: rmsEps(raw, eps),
    activation: readActivation(raw, 'hidden_act', 'silu'),
    ropes: dim => [readRope(raw, { dim, interleaved, partial, ...(theta && { theta }) })],
  }
}
