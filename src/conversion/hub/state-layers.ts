/** Weights of layers that carry a state, of a GGUF file, as the hub's own code has them. */
import type { TensorNames } from '../../families/family.ts'
import type { WeightSource } from '../../kernels/contract/weights.ts'
import type { SurveyedWeight } from '../../model/load.ts'
import type { DeltaRuleConfig, StateConfig } from '../../nn/states/config.ts'
import { withGate } from '../joined-by-head.ts'
import { moduleIn, withHeadsOrdered } from '../value-heads.ts'

interface HubPart {
  readonly name: string
  readonly source: WeightSource
  /** Default: by rows and columns. */
  readonly shape?: readonly number[]
}

/** What becomes of a weight of the state: itself, or with another what the hub has in one. Undefined: it is as in other layers. */
export function hubParts(
  weight: SurveyedWeight,
  c: StateConfig,
  { delta, convolution }: TensorNames,
  all: ReadonlyMap<string, SurveyedWeight>,
): readonly HubPart[] | undefined {
  if (c.kind === 'delta' && delta) return deltaParts(weight, c, delta, all)
  const isKernel = convolution && weight.name.endsWith(`.${convolution.kernel}.weight`)
  return isKernel ? [{ name: weight.name, source: weight, shape: kernelShape(weight, c) }] : undefined
}

function deltaParts(
  weight: SurveyedWeight,
  c: DeltaRuleConfig,
  names: NonNullable<TensorNames['delta']>,
  all: ReadonlyMap<string, SurveyedWeight>,
): readonly HubPart[] | undefined {
  const { name } = weight
  const { apart } = names
  const half = apart && moduleIn(name, [apart.qkv, apart.gate])
  if (apart && half !== undefined) {
    if (half === apart.gate) return [] // with the others
    const gate = all.get(name.replace(half, apart.gate)) as SurveyedWeight
    return [{ name: name.replace(half, names.qkv[0]), source: withGate({ mixed: weight, gate }, c) }]
  }
  const { qkv, kernels, beta, decay, decayRate, decayBias, gate, norm, out } = names
  const module = moduleIn(name, [...qkv, ...kernels, beta, ...decay, decayRate, decayBias, ...gate, norm, out])
  if (module === undefined) return undefined
  const source = c.keysByTurns ? withHeadsOrdered(weight, names, c, 'neighbours') : weight
  if (kernels.includes(module)) return [{ name, source, shape: kernelShape(weight, c) }]
  return [{ name, source, ...(module === decayRate && names.rateShape && { shape: names.rateShape(c.nHeads) }) }]
}

/** One number of rows is that of the convolution, which has one channel of input for each of its output. */
function kernelShape({ cols }: WeightSource, { kernel }: StateConfig): number[] {
  return [cols / kernel, 1, kernel]
}
