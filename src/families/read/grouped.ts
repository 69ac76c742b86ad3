import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { Arithmetic } from '../runnable.ts'
import { readActivation, rmsEps } from './common.ts'
import { readRope } from './rope.ts'

export interface GroupedDefaults {
  /** Of RMS norms. */
  readonly eps: number
  /** Default 10000. */
  readonly theta?: number
  /** Rope turns neighbours in the hub's files. Default false. */
  readonly interleaved?: boolean
  /** `partial_rotary_factor`; absent: the family's code turns whole heads, and a file that says otherwise is refused. */
  readonly rotary?: number
}

/** What models with keys and values per head share since Llama. */
export function groupedArithmetic(raw: ConfigReader, defaults: GroupedDefaults): Arithmetic {
  const { eps, theta, rotary: part } = defaults
  // GGUF files of some architectures have the rows of heads in another order.
  const interleaved = raw.bool('rope_interleave', { default: defaults.interleaved ?? false })
  const rotary = part === undefined ? undefined : rotaryPart(raw, part)
  return {
    attention: 'grouped',
    eps: rmsEps(raw, eps),
    activation: readActivation(raw, 'hidden_act', 'silu'),
    ropes: dim => [
      readRope(raw, { dim, interleaved, ...(theta && { theta }), ...(rotary !== undefined && { partial: true }) }),
    ],
    ...(rotary !== undefined && { rotary }),
  }
}

/** Beside the other settings of rope, or by itself. */
function rotaryPart(raw: ConfigReader, fallback: number): number {
  const range = { min: 0, max: 1, exclusiveMin: true } as const
  const settings = raw.optionalObject('rope_parameters') ?? raw.optionalObject('rope_scaling')
  return (
    settings?.optionalNumber('partial_rotary_factor', range) ??
    raw.number('partial_rotary_factor', { ...range, default: fallback })
  )
}
