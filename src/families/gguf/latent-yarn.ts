/**
 * YaRN over latent attention in llama.cpp's files. It multiplies cos and sin by one number (`rotated`) and the softmax scale by the square of another
 * (`softmax`). Both come of two keys, by formulas that differ between architectures; m(l) = 1 + 0.1 l ln(factor).
 */
import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import { UnsupportedModelError } from '../../errors.ts'
import { type RopeConfig, ropeFrequencies, yarnMscale, yarnSoftmaxFactor } from '../../nn/attention/rope.ts'
import { POSITIVE } from './ranges.ts'

/**
 * With `attn_factor` a and ten times `yarn_log_multiplier` l: cos and sin times a, the softmax a m(l), without l both a m(1) (`same`); a m(1) / m(l) and
 * a m(1) (`divided`); both a m(1), since l is not read (`together`). Default: a m(1), and the softmax not at all.
 */
export type LatentYarn = 'same' | 'divided' | 'together'

const ATTENTION_FACTOR = '{arch}.rope.scaling.attn_factor'
const MULTIPLIER = '{arch}.rope.scaling.yarn_log_multiplier'

const CLOSE = 1e-9
const equal = (a: number, b: number) => Math.abs(a - b) <= CLOSE * Math.abs(a)

/** Writing. Throws UnsupportedModelError where the architecture's formulas cannot give both numbers. */
export function addLatentYarnKeys(
  keys: GgufKeys,
  rope: RopeConfig,
  factor: number,
  kind: LatentYarn | undefined,
): void {
  const rotated = ropeFrequencies(rope).factor
  const softmax = Math.sqrt(yarnSoftmaxFactor(rope.scaling))
  const one = yarnMscale(factor, 1)
  const apart = !equal(softmax, kind ? rotated : 1)
  if (apart && (kind === undefined || kind === 'together' || one === 1)) {
    throw new UnsupportedModelError(
      `YaRN that stretches the softmax by ${softmax} and what is rotated by ${rotated} cannot be said in this architecture of GGUF: ` +
        `llama.cpp would stretch the softmax by ${kind ? rotated : 1}. A folder of safetensors can`,
    )
  }
  const a = !apart ? rotated / one : kind === 'same' ? rotated : softmax / one
  keys.f32(ATTENTION_FACTOR, equal(a, 1) ? undefined : a)
  keys.f32(MULTIPLIER, apart ? (0.1 * (softmax / rotated - 1)) / (one - 1) : undefined)
}

/** Reading: the fields of `rope_scaling` that say the same. */
export function latentYarnFields(m: Metadata, factor: number, kind: LatentYarn): JsonObject {
  const a = m.optionalNumber(ATTENTION_FACTOR, POSITIVE) ?? 1
  const multiplier = kind === 'together' ? 0 : (m.optionalNumber(MULTIPLIER) ?? 0)
  const l = Number((10 * multiplier).toPrecision(12)) // 0.7 of 0.07, not 0.7000000000000001
  const one = yarnMscale(factor, 1)
  const under = factor > 1 ? 1 + (one - 1) * l : 1
  const rotated = kind === 'same' && l !== 0 ? a : (a * one) / under
  if (l > 0 && rotated === 1) return { mscale: l, mscale_all_dim: l }
  return { attention_factor: rotated, mscale_all_dim: one === 1 ? 0 : nearly((rotated * under - 1) / (one - 1)) }
}

/** Not -1e-8, which f32 makes of 0. */
function nearly(x: number): number {
  return Math.abs(x) < 1e-6 ? 0 : x
}
