import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { quote } from '../../checkpoint/quote.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { Growth, RopeConfig, RopeScaling } from '../../nn/attention/rope.ts'

export interface RopeDefaults {
  readonly dim: number
  readonly interleaved: boolean
  /** Where the config names none. Default 10000. */
  readonly theta?: number
  /** Which entry of `rope_parameters` to take where it has one per layer type. */
  readonly layerType?: 'full_attention' | 'sliding_attention'
  /** `dim` is the part of a head that is rotated: `partial_rotary_factor` is read already. Default false: only 1 is taken. */
  readonly partial?: boolean
}

/**
 * Both spellings: `rope_theta` beside `rope_scaling`, and `rope_parameters` holding either, by itself or one for each type
 * of layers; the kind is called `rope_type` or, in older files, `type`. An empty object says as little as none.
 */
export function readRope(raw: ConfigReader, defaults: RopeDefaults): RopeConfig {
  const { dim, interleaved, theta: fallback = 10_000, layerType, partial = false } = defaults
  const settings = ropeParameters(raw, layerType) ?? raw.optionalObject('rope_scaling')
  const theta = settings?.optionalNumber('rope_theta', THETA) ?? raw.optionalNumber('rope_theta', THETA) ?? fallback
  const scaling: RopeScaling = settings ? readScaling(settings, raw, dim) : { kind: 'none' }
  if (!partial && scaling.kind !== 'proportional') refusePartial(settings, raw)
  return { dim, theta, interleaved, scaling }
}

function ropeParameters(raw: ConfigReader, layerType: RopeDefaults['layerType']): ConfigReader | undefined {
  const parameters = raw.optionalObject('rope_parameters')
  if (parameters === undefined || parameters.keys().length === 0) return undefined
  refuseOtherTypes(parameters, raw)
  const [global, local] = TYPES.map(type => parameters.optionalObject(type))
  if (layerType !== undefined) return parameters.optionalObject(layerType) ?? parameters
  const written = (type: string) => JSON.stringify(parameters.raw(type))
  if (global && local && written('full_attention') !== written('sliding_attention')) {
    throw new UnsupportedModelError(`${raw.file}: a rope of its own for layers with a window is not supported here`)
  }
  return global ?? local ?? parameters
}

const TYPES = ['full_attention', 'sliding_attention'] as const

/** Settings of layers that are called otherwise would not be seen. */
function refuseOtherTypes(parameters: ConfigReader, raw: ConfigReader): void {
  const isRope = (value: unknown) =>
    typeof value === 'object' && value !== null && ('rope_type' in value || 'type' in value || 'rope_theta' in value)
  const other = parameters.keys().find(key => isRope(parameters.raw(key)) && !TYPES.some(type => type === key))
  if (other === undefined) return
  const known = TYPES.map(type => quote(type)).join(' and ')
  throw new UnsupportedModelError(
    `${raw.file}: a rope for layers of type ${quote(other, 60)} is not supported; those of ${known} are read.`,
  )
}

const THETA = { min: 1, max: 1e12, exclusiveMin: true } as const
const POSITIONS = { min: 1, max: 1e9 } as const
const FACTOR = { min: 1, max: 1e6 } as const

function readScaling(s: ConfigReader, raw: ConfigReader, dim: number): RopeScaling {
  const kind = s.optionalString('rope_type') ?? s.optionalString('type') ?? 'default'
  const positions = raw.int('max_position_embeddings', { ...POSITIONS, default: 2048 })
  const originalPositions =
    raw.optionalInt('original_max_position_embeddings', POSITIONS) ??
    s.optionalInt('original_max_position_embeddings', POSITIONS)
  const attentionFactor = s.optionalNumber('attention_factor', { min: 0, exclusiveMin: true }) ?? null
  switch (kind) {
    case 'default':
      return { kind: 'none' }
    case 'linear':
      return { kind: 'linear', factor: s.number('factor', FACTOR) }
    case 'factors':
      return { kind: 'factors', factors: s.numbers('factors', { length: dim / 2, min: 0, exclusiveMin: true }) }
    case 'proportional': {
      const part = s.optionalNumber('partial_rotary_factor', { min: 0, max: 1 }) ?? 1
      return { kind, pairs: Math.floor((part * dim) / 2), factor: s.optionalNumber('factor', FACTOR) ?? 1 }
    }
    case 'yarn':
    case 'deepseek_yarn':
      return {
        kind: 'yarn',
        factor: s.number('factor', FACTOR),
        originalPositions: originalPositions ?? positions,
        betaFast: s.optionalNumber('beta_fast', { min: 0, exclusiveMin: true }) ?? 32,
        betaSlow: s.optionalNumber('beta_slow', { min: 0, exclusiveMin: true }) ?? 1,
        mscale: s.optionalNumber('mscale', { min: 0 }) ?? null,
        mscaleAllDim: s.optionalNumber('mscale_all_dim', { min: 0 }) ?? null,
        attentionFactor,
        truncate: s.bool('truncate', { default: true }),
      }
    case 'llama3':
      return {
        kind: 'llama3',
        factor: s.number('factor', FACTOR),
        lowFreqFactor: s.number('low_freq_factor', { min: 0, exclusiveMin: true }),
        highFreqFactor: s.number('high_freq_factor', { min: 0, exclusiveMin: true }),
        originalPositions: originalPositions ?? s.missing('original_max_position_embeddings', 'a number of positions'),
      }
    case 'longrope':
    case 'su': {
      const factors = { length: dim / 2, min: 0, exclusiveMin: true }
      const factor = s.optionalNumber('factor', FACTOR) ?? 1
      return {
        kind: 'longrope',
        shortFactor: s.numbers('short_factor', factors),
        longFactor: s.numbers('long_factor', factors),
        originalPositions: originalPositions ?? positions,
        maxPositions: originalPositions ? positions : positions * factor,
        attentionFactor,
      }
    }
    default:
      throw new UnsupportedModelError(
        `${raw.file}: rope type ${quote(kind, 60)} is not supported; latentkit knows default, linear, proportional, yarn, llama3 and longrope.`,
      )
  }
}

function refusePartial(settings: ConfigReader | undefined, raw: ConfigReader): void {
  const part = settings?.optionalNumber('partial_rotary_factor') ?? raw.optionalNumber('partial_rotary_factor') ?? 1
  if (part !== 1) {
    throw new UnsupportedModelError(`${raw.file}: a partial_rotary_factor of ${part} is not supported; only 1 is.`)
  }
}

/** With a rope's settings where the file has none, as transformers' class has them. */
export function withUsualRope(raw: ConfigReader, rope_parameters: Readonly<Record<string, unknown>>): ConfigReader {
  return raw.has('rope_scaling') ? raw : raw.withDefaults({ rope_parameters })
}

/** Mistral's and Llama 4's factor of queries, beside the other settings of rope. Undefined: there is none. */
export function readGrowth(raw: ConfigReader): Growth | undefined {
  const settings = raw.optionalObject('rope_parameters') ?? raw.optionalObject('rope_scaling')
  const beta = settings?.optionalNumber('llama_4_scaling_beta', { min: 0, max: 1e3 })
  if (!settings || !beta) return undefined
  return { beta, positions: settings.int('original_max_position_embeddings', POSITIONS) }
}
