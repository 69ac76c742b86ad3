/** Fields that config.json files of many families share. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { Activation } from '../../kernels/contract/operation-options.ts'

/** No published model comes near; beyond it, a size is an accident or an attack. */
export const SIZE = { min: 1, max: 1 << 24 } as const
const EPS = { min: 0, max: 0.1, exclusiveMin: true } as const

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  quick_gelu: 'quick_gelu',
  relu: 'relu',
  relu2: 'relu2',
}

/** `name`: what of the field names it. Default: all. */
export function readActivation(
  raw: ConfigReader,
  key: string,
  fallback: string,
  name = raw.optionalString(key) ?? fallback,
): Activation {
  const known = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined
  return known ?? raw.fail(key, `one of ${Object.keys(ACTIVATIONS).join(', ')}`)
}

/** eps of RMS norms. */
export function rmsEps(raw: ConfigReader, otherwise: number): number {
  return raw.number('rms_norm_eps', { ...EPS, default: otherwise })
}

/** eps of LayerNorms. */
export function layerNormEps(raw: ConfigReader, key = 'layer_norm_epsilon', otherwise = 1e-5): number {
  return raw.number(key, { ...EPS, default: otherwise })
}
