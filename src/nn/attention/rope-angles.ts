/**
 * The angles of rotary positions as `rope` reads them. The host computes them, because devices need not have f64: in f32
 * an angle of 1e5 radians is off by 4e-3. sin and cos are our own, because JavaScript leaves their last digits to the
 * engine, and a model's numbers must not change with it.
 */
import type { PromptExtent } from './path.ts'
import { type Growth, growthAt, longropeLimit, type RopeConfig, type RopeFrequencies, ropeFrequencies } from './rope.ts'

/** A rope of a model; `long` are LongRoPE's frequencies from position `limit` on. */
export interface RopeSet {
  readonly short: RopeFrequencies
  readonly long: RopeFrequencies
  /** Infinity for every other scaling. */
  readonly limit: number
  readonly interleaved: boolean
  readonly growth: Growth | null
}

export function ropeSet(rope: RopeConfig): RopeSet {
  const { interleaved, growth = null } = rope
  const short = ropeFrequencies(rope)
  const limit = longropeLimit(rope)
  return limit === null
    ? { short, long: short, limit: Number.POSITIVE_INFINITY, interleaved, growth }
    : { short, long: ropeFrequencies(rope, true), limit, interleaved, growth }
}

/** Tokens of one sequence. */
export interface TokenRun {
  readonly tokens: ArrayLike<number>
  /** `length`: the position of the first token. */
  readonly cache: { readonly length: number }
  /** The prompt they belong to; null: generated tokens. */
  readonly prompt: PromptExtent | null
}

/**
 * The first position whose token takes LongRoPE's long factors; `limit`: where the original positions end. A prompt that goes
 * beyond takes the long factors throughout; generated tokens (null) take them from there on: what transformers does with a
 * cache, decided by position instead of by call.
 */
export function longFactorsFrom(limit: number, prompt: PromptExtent | null): number {
  return prompt ? (prompt.end > limit ? 0 : Number.POSITIVE_INFINITY) : limit
}

/** The angles of all tokens of a step, f32 [T, 2r]. */
export function stepAngles({ short, long, limit, growth }: RopeSet, runs: readonly TokenRun[]): Float32Array {
  const width = 2 * short.frequencies.length
  const all = new Float32Array(width * runs.reduce((n, { tokens }) => n + tokens.length, 0))
  let row = 0
  for (const { tokens, cache, prompt } of runs) {
    const from = longFactorsFrom(limit, prompt)
    for (let i = 0; i < tokens.length; i++, row++) {
      const position = cache.length + i
      const length = growth ? growthAt(growth, position) : 1
      writeAngles(all, position, position < from ? short : long, row * width, length)
    }
  }
  return all
}

/** Writes cos(p f_i) and sin(p f_i), both times the factor and `length`, as [cos, sin] for one position: f32 [2r], from `at` on. */
export function writeAngles(
  into: Float32Array,
  position: number,
  { frequencies, factor: own }: RopeFrequencies,
  at = 0,
  length = 1,
): void {
  const r = frequencies.length
  const factor = own * length
  for (let i = 0; i < r; i++) {
    const x = position * (frequencies[i] as number)
    // x = n pi/2 + t with t in [-pi/4, pi/4]; pi/2 in four parts whose products with n are exact for |x| < 2^28.
    const n = x * 0.6366197723675814 + ROUND - ROUND
    const t = x - n * HALF_PI_1 - n * HALF_PI_2 - n * HALF_PI_3 - n * HALF_PI_4
    const z = t * t
    // Taylor: the first term left out is below 1e-17.
    let s = 0
    let c = 0
    for (let k = 17; k >= 3; k -= 2) s = ((1 + s) * -z) / (k * (k - 1))
    for (let k = 16; k >= 2; k -= 2) c = ((1 + c) * -z) / (k * (k - 1))
    s = t + t * s
    c = 1 + c
    const quadrant = n & 3
    const cosine = quadrant === 0 ? c : quadrant === 1 ? -s : quadrant === 2 ? -c : s
    const sine = quadrant === 0 ? s : quadrant === 1 ? c : quadrant === 2 ? -s : -c
    into[at + i] = factor * cosine
    into[at + r + i] = factor * sine
  }
}

/** Added and taken away again, it rounds to the nearest integer, ties to even. */
const ROUND = 6755399441055744

const HALF_PI_1 = 0x1921fb4 * 2 ** -24
const HALF_PI_2 = 0x14442d * 2 ** -44
const HALF_PI_3 = 0x1846988 * 2 ** -72
const HALF_PI_4 = 0x18cc51701b839a * 2 ** -124
