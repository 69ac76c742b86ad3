import type { JsonObject } from '../../checkpoint/json-file.ts'
import { type RopeConfig, ropeFrequencies } from '../../nn/attention/rope.ts'

/** The divisors are f32. */
const CLOSE = 1e-5
/** `high_freq_factor` / `low_freq_factor` of every model published, whose low one is 1. */
const RATIO = 4

/**
 * The settings of Llama 3's rule that give a rope's divisors; undefined where none do. Short waves keep their length
 * (divisor 1), long ones are stretched by the whole factor, and between the two 1 / divisor goes linearly with the frequency: two divisors on the slope tell its ends, with fewer they
 * are a usual ratio apart. Only products of the original positions with both ends show, so that the low factor is 1 where it can be.
 */
export function llama3Scaling(rope: RopeConfig, maxPositions: number): JsonObject | undefined {
  const { scaling } = rope
  if (scaling.kind !== 'factors') return undefined
  const { factors } = scaling
  const plain = ropeFrequencies({ ...rope, scaling: { kind: 'none' } }).frequencies
  const factor = tidy(Math.max(...factors))
  /** 0 where stretched whole, 1 where kept. */
  const share = (i: number) => (1 / factors[i]! - 1 / factor) / (1 - 1 / factor)
  const perPosition = (i: number) => (plain[i] ?? 0) / (2 * Math.PI)
  const slope = factors.flatMap((_, i) => (share(i) > CLOSE && share(i) < 1 - CLOSE ? [i] : []))
  const [low, high] = ends()

  /** Waves per position where the slope ends. */
  function ends(): readonly [low: number, high: number] {
    const [first, last] = [slope[0], slope.at(-1)]
    if (first === undefined || last === undefined) {
      const kept = factors.findLastIndex((_, i) => share(i) >= 1 - CLOSE)
      if (kept < 0) return [perPosition(0), RATIO * perPosition(0)]
      return [Math.max(perPosition(kept) / RATIO, perPosition(kept + 1)), perPosition(kept)]
    }
    const at = perPosition(first)
    if (first < last) {
      const gradient = (share(first) - share(last)) / (at - perPosition(last))
      const low = at - share(first) / gradient
      return [low, low + 1 / gradient]
    }
    // A usual ratio apart, if that leaves the neighbours off the slope.
    const low = Math.max(at / (1 + share(first) * (RATIO - 1)), perPosition(first + 1))
    const high = low + (at - low) / share(first)
    if (first === 0 || high <= perPosition(first - 1)) return [low, high]
    const kept = perPosition(first - 1)
    return [(at - share(first) * kept) / (1 - share(first)), kept]
  }

  const originalPositions = Math.min(Math.max(1, Math.round(1 / low)), maxPositions)
  const lowFreqFactor = tidy(originalPositions * low)
  const highFreqFactor = tidy(originalPositions * high)
  const rule = { kind: 'llama3', factor, lowFreqFactor, highFreqFactor, originalPositions } as const
  const found = ropeFrequencies({ ...rope, scaling: rule }).frequencies
  const wanted = ropeFrequencies(rope).frequencies
  if (!found.every((f, i) => Math.abs(f - wanted[i]!) <= CLOSE * f)) return undefined
  return {
    rope_type: 'llama3',
    factor,
    low_freq_factor: lowFreqFactor,
    high_freq_factor: highFreqFactor,
    original_max_position_embeddings: originalPositions,
  }
}

/** 4, not 3.9999998. */
function tidy(value: number): number {
  return Number(value.toPrecision(6))
}
