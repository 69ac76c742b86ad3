import type { JsonObject } from '../../checkpoint/json-file.ts'
import { type RopeConfig, ropeFrequencies } from '../../nn/attention/rope.ts'

/** The divisors are f32. */
const CLOSE = 1e-5
/** Of every model published. */
const [LOW, HIGH] = [1, 4]

/**
 * The settings of Llama 3's rule that give a rope's divisors; undefined where none do. Short waves keep their length
 * (divisor 1), long ones are stretched by the whole factor, and between the two 1 / divisor goes linearly with the frequency: two divisors on the slope tell its ends, from fewer the usual ones
 * follow. Only the ratios of the original positions to both factors show, so the low one is 1.
 */
export function llama3Scaling(rope: RopeConfig, maxPositions: number): JsonObject | undefined {
  const { scaling } = rope
  if (scaling.kind !== 'factors') return undefined
  const { factors } = scaling
  const plain = ropeFrequencies({ ...rope, scaling: { kind: 'none' } }).frequencies
  const factor = tidy(Math.max(...factors))
  /** 0 where stretched whole, 1 where kept. */
  const share = (i: number) => (1 / factors[i]! - 1 / factor) / (1 - 1 / factor)
  const perPosition = (i: number) => plain[i]! / (2 * Math.PI)
  const slope = factors.flatMap((_, i) => (share(i) > CLOSE && share(i) < 1 - CLOSE ? [i] : []))
  const [first, last] = [slope[0] ?? factors.findLastIndex((_, i) => share(i) >= 1 - CLOSE), slope.at(-1)]
  if (first < 0) return undefined
  // share = (original x waves per position - low) / (high - low)
  const gradient = (to: number) => (share(first) - share(to)) / (perPosition(first) - perPosition(to))
  const width =
    last === undefined || last === first ? HIGH - LOW : LOW / (gradient(last) * perPosition(first) - share(first))
  const settings = {
    lowFreqFactor: LOW,
    highFreqFactor: tidy(LOW + width),
    originalPositions: Math.round((share(first) * width + LOW) / perPosition(first)),
  }
  const found = ropeFrequencies({ ...rope, scaling: { kind: 'llama3', factor, ...settings } }).frequencies
  const wanted = ropeFrequencies(rope).frequencies
  const same = found.every((f, i) => Math.abs(f - wanted[i]!) <= CLOSE * f)
  if (!same || settings.originalPositions > maxPositions) return undefined
  return {
    rope_type: 'llama3',
    factor,
    low_freq_factor: settings.lowFreqFactor,
    high_freq_factor: settings.highFreqFactor,
    original_max_position_embeddings: settings.originalPositions,
  }
}

/** 4, not 3.9999998. */
function tidy(value: number): number {
  return Number(value.toPrecision(5))
}
