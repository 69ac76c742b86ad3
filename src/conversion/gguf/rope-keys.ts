import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import type { Architecture } from '../../families/gguf/architecture.ts'
import { addLatentYarnKeys } from '../../families/gguf/latent-yarn.ts'
import { type RopeConfig, ropeFrequencies, yarnMscale } from '../../nn/attention/rope.ts'
import { hasLatents, type ModelConfig } from '../../nn/config.ts'

export function addRopeKeys(
  keys: GgufKeys,
  config: ModelConfig,
  { latentYarn }: Pick<Architecture, 'latentYarn'>,
): void {
  const [rope, second] = config.ropes
  if (!rope) return
  const local = config.layers.some(layer => layer.rope === 1) ? second : undefined
  const { scaling } = rope
  keys.u32('{arch}.rope.dimension_count', rope.dim)
  keys.f32('{arch}.rope.freq_base', rope.theta)
  keys.f32('{arch}.rope.freq_base_swa', local?.theta)
  if (scaling.kind === 'linear') {
    keys.string('{arch}.rope.scaling.type', 'linear')
    keys.f32('{arch}.rope.scaling.factor', scaling.factor)
  } else if (scaling.kind === 'yarn') {
    addYarnKeys(keys, scaling)
    if (hasLatents(config)) addLatentYarnKeys(keys, rope, scaling.factor, latentYarn)
    else if (scaling.attentionFactor !== null || (scaling.mscale && scaling.mscaleAllDim)) {
      keys.f32('{arch}.rope.scaling.attn_factor', ropeFrequencies(rope).factor / yarnMscale(scaling.factor, 1))
    }
  } else if (scaling.kind === 'longrope') {
    keys.u32('{arch}.rope.scaling.original_context_length', scaling.originalPositions)
    // llama.cpp does not compute it.
    keys.f32('{arch}.rope.scaling.attn_factor', ropeFrequencies(rope).factor)
  }
}

type Yarn = Extract<RopeConfig['scaling'], { readonly kind: 'yarn' }>

function addYarnKeys(keys: GgufKeys, y: Yarn): void {
  keys.string('{arch}.rope.scaling.type', 'yarn')
  keys.f32('{arch}.rope.scaling.factor', y.factor)
  keys.u32('{arch}.rope.scaling.original_context_length', y.originalPositions)
  keys.f32('{arch}.rope.scaling.yarn_beta_fast', y.betaFast)
  keys.f32('{arch}.rope.scaling.yarn_beta_slow', y.betaSlow)
}

/** The divisor that llama.cpp's converter gives to frequencies that do not turn. */
const STILL = 1e30

/** Where llama.cpp has no place for them. */
export function ropeWarnings({ name, ropeDivisors }: Architecture, config: ModelConfig): string[] {
  const names = [...ropeTensors(config).keys()]
  if (names.length === 0 || ropeDivisors === (names.length === 1 ? 'one' : 'two')) return []
  return [
    `llama.cpp will not load this file: its architecture ${name} has no place for divisors of the rope's frequencies (${names.join(', ')})`,
  ]
}

/** Divisors of the rope's frequencies, which are tensors in GGUF: by name, f32. */
export function ropeTensors({ ropes }: ModelConfig): Map<string, Float32Array> {
  const [rope] = ropes
  const tensors = new Map<string, Float32Array>()
  if (!rope) return tensors
  const { scaling } = rope
  if (scaling.kind === 'longrope') {
    tensors.set('rope_factors_long.weight', Float32Array.from(scaling.longFactor))
    tensors.set('rope_factors_short.weight', Float32Array.from(scaling.shortFactor))
  }
  if (scaling.kind === 'proportional') {
    const divisors = Array.from({ length: rope.dim / 2 }, (_, i) => (i < scaling.pairs ? scaling.factor : STILL))
    tensors.set('rope_freqs.weight', Float32Array.from(divisors))
  }
  if (scaling.kind === 'llama3' || scaling.kind === 'factors') {
    const plain = ropeFrequencies({ ...rope, scaling: { kind: 'none' } }).frequencies
    const stretched = ropeFrequencies(rope).frequencies
    tensors.set(
      'rope_freqs.weight',
      Float32Array.from(plain, (f, i) => f / stretched[i]!),
    )
  }
  return tensors
}
