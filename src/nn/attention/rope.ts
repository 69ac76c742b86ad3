/**
 * Rotary positions (RoFormer, arXiv 2104.09864) and their stretchings to longer contexts: linear, YaRN (arXiv
 * 2309.00071), Llama 3, LongRoPE (arXiv 2402.13753). Frequencies are f64: at position 131,071 an f32 frequency is
 * off by 8e-3 radians.
 */
export type RopeScaling =
  | { readonly kind: 'none' }
  | { readonly kind: 'linear'; readonly factor: number }
  /** One divisor per frequency, computed by the file's writer (GGUF of Llama 3). */
  | { readonly kind: 'factors'; readonly factors: readonly number[] }
  /** The first pairs rotate, as they would among all of the head; the others have no position (Gemma 4). */
  | { readonly kind: 'proportional'; readonly pairs: number; readonly factor: number }
  | {
      readonly kind: 'yarn'
      readonly factor: number
      readonly originalPositions: number
      readonly betaFast: number
      readonly betaSlow: number
      /** DeepSeek's pair; null where the config does not name them. */
      readonly mscale: number | null
      readonly mscaleAllDim: number | null
      /** Given outright by some configs. */
      readonly attentionFactor: number | null
      /** Round the ramp's borders to whole dimensions; gpt-oss does not. */
      readonly truncate: boolean
    }
  | {
      readonly kind: 'llama3'
      readonly factor: number
      readonly lowFreqFactor: number
      readonly highFreqFactor: number
      readonly originalPositions: number
    }
  | {
      readonly kind: 'longrope'
      /** One factor per frequency, within and beyond the original positions. */
      readonly shortFactor: readonly number[]
      readonly longFactor: readonly number[]
      readonly originalPositions: number
      readonly maxPositions: number
      readonly attentionFactor: number | null
    }

export interface RopeConfig {
  /** Numbers of a head that are rotated; even. */
  readonly dim: number
  readonly theta: number
  /** Pairs (2i, 2i + 1) instead of (i, i + dim / 2). */
  readonly interleaved: boolean
  readonly scaling: RopeScaling
  /** Makes what is rotated longer, the further on it stands: for queries. Default: it keeps its length. */
  readonly growth?: Growth
  /** Turns nothing, for what has no position but grows. Default false. */
  readonly still?: boolean
}

/** A query at position p is multiplied by 1 + beta ln(1 + floor(p / positions)) (Llama 4, Mistral). */
export interface Growth {
  readonly beta: number
  readonly positions: number
}

export function growthAt({ beta, positions }: Growth, position: number): number {
  return 1 + beta * Math.log(1 + Math.floor(position / positions))
}

/** One set of angles: position p rotates pair i by p * frequencies[i]; cos and sin are multiplied by `factor`. */
export interface RopeFrequencies {
  /** [dim / 2], radians per position. */
  readonly frequencies: Float64Array
  readonly factor: number
}

/**
 * The angles for a token. LongRoPE has two sets, of short and of long factors (beyond the original positions);
 * all other scalings have one.
 */
export function ropeFrequencies(rope: RopeConfig, longFactors = false): RopeFrequencies {
  const { dim, theta, scaling } = rope
  if (rope.still) return { frequencies: new Float64Array(dim / 2), factor: 1 }
  const base = Float64Array.from({ length: dim / 2 }, (_, i) => theta ** ((-2 * i) / dim))
  switch (scaling.kind) {
    case 'none':
      return { frequencies: base, factor: 1 }
    case 'linear':
      return { frequencies: base.map(f => f / scaling.factor), factor: 1 }
    case 'factors':
      return { frequencies: base.map((f, i) => f / (scaling.factors[i] as number)), factor: 1 }
    case 'proportional':
      return { frequencies: base.map((f, i) => (i < scaling.pairs ? f / scaling.factor : 0)), factor: 1 }
    case 'yarn':
      return { frequencies: yarnFrequencies(base, rope, scaling), factor: yarnFactor(scaling) }
    case 'llama3':
      return { frequencies: base.map(f => llama3Frequency(f, scaling)), factor: 1 }
    case 'longrope': {
      const stretch = longFactors ? scaling.longFactor : scaling.shortFactor
      return { frequencies: base.map((f, i) => f / (stretch[i] as number)), factor: longropeFactor(scaling) }
    }
  }
}

/** Positions from which LongRoPE takes its long factors; null for every other scaling. */
export function longropeLimit(rope: RopeConfig): number | null {
  return rope.scaling.kind === 'longrope' ? rope.scaling.originalPositions : null
}

/** get_mscale of DeepSeek's code: 0.1 m ln(s) + 1 beyond s = 1 (YaRN, section 3.4). */
export function yarnMscale(factor: number, m: number): number {
  return factor > 1 ? 0.1 * m * Math.log(factor) + 1 : 1
}

/** m squared, by which DeepSeek multiplies the softmax scale; 1 without `mscale_all_dim`. */
export function yarnSoftmaxFactor(scaling: RopeScaling): number {
  if (scaling.kind !== 'yarn' || !scaling.mscaleAllDim) return 1
  return yarnMscale(scaling.factor, scaling.mscaleAllDim) ** 2
}

type Yarn = Extract<RopeScaling, { kind: 'yarn' }>

/** What cos and sin are multiplied by. */
function yarnFactor(y: Yarn): number {
  if (y.attentionFactor !== null) return y.attentionFactor
  if (y.mscale && y.mscaleAllDim) return yarnMscale(y.factor, y.mscale) / yarnMscale(y.factor, y.mscaleAllDim)
  return yarnMscale(y.factor, 1)
}

/** YaRN eq. 17-23: fast pairs keep their frequency, slow ones are stretched, a ramp between. */
function yarnFrequencies(base: Float64Array, { dim, theta }: RopeConfig, y: Yarn): Float64Array {
  const pairOfRotations = (rotations: number) =>
    (dim * Math.log(y.originalPositions / (rotations * 2 * Math.PI))) / (2 * Math.log(theta))
  const border = y.truncate ? { low: Math.floor, high: Math.ceil } : { low: Number, high: Number }
  const low = Math.max(border.low(pairOfRotations(y.betaFast)), 0)
  const high = Math.min(border.high(pairOfRotations(y.betaSlow)), dim - 1)
  const width = high === low ? 0.001 : high - low
  return base.map((f, i) => {
    const stretched = Math.min(Math.max((i - low) / width, 0), 1)
    return (f / y.factor) * stretched + f * (1 - stretched)
  })
}

type Llama3 = Extract<RopeScaling, { kind: 'llama3' }>

/** Llama 3.1's rule: short wavelengths stay, long ones are stretched, a smooth passage between. */
function llama3Frequency(f: number, s: Llama3): number {
  const wavelength = (2 * Math.PI) / f
  if (wavelength < s.originalPositions / s.highFreqFactor) return f
  if (wavelength > s.originalPositions / s.lowFreqFactor) return f / s.factor
  const smooth = (s.originalPositions / wavelength - s.lowFreqFactor) / (s.highFreqFactor - s.lowFreqFactor)
  return ((1 - smooth) * f) / s.factor + smooth * f
}

type Longrope = Extract<RopeScaling, { kind: 'longrope' }>

/** LongRoPE's sqrt(1 + ln(s) / ln(original)), s = max / original; 1 where the context is not extended. */
function longropeFactor(l: Longrope): number {
  if (l.attentionFactor !== null) return l.attentionFactor
  const s = l.maxPositions / l.originalPositions
  return s <= 1 ? 1 : Math.sqrt(1 + Math.log(s) / Math.log(l.originalPositions))
}
