/** Weights of layers that carry a state, in llama.cpp's arrangement. */
import type { TensorNames } from '../../families/family.ts'
import type { Architecture } from '../../families/gguf/architecture.ts'
import { ratesOf } from '../../families/gguf/decay-rates.ts'
import type { WeightSource } from '../../kernels/contract/weights.ts'
import type { DeltaRuleConfig, StateConfig } from '../../nn/states/config.ts'
import { withoutGate } from '../joined-by-head.ts'
import { moduleIn, withHeadsOrdered } from '../value-heads.ts'

export interface StatePart {
  /** The hub's. */
  readonly name: string
  readonly source: WeightSource
  /** Of a vector, where it has more axes than one. */
  readonly shape?: readonly number[]
}

/** What becomes of a weight of such a layer: itself, or two where llama.cpp has apart what the hub has in one. */
export function stateParts(
  weight: WeightSource,
  c: StateConfig,
  { delta, convolution }: TensorNames,
  architecture: Architecture,
): StatePart[] {
  if (c.kind === 'convolution') {
    const isKernel = convolution !== undefined && moduleIn(weight.name, [convolution.kernel]) !== undefined
    const shape = isKernel ? { shape: [c.channels, c.kernel] } : {}
    // Of the bias too the module's name is the kernel's.
    return [{ name: weight.name, source: weight, ...(weight.name.endsWith('.weight') && shape) }]
  }
  if (!delta) throw new TypeError(`stateParts: no names for ${weight.name}`)
  const joined = delta.apart && moduleIn(weight.name, delta.qkv)
  if (joined !== undefined && delta.apart && c.projections === 'byHead') {
    const named = (to: string) => weight.name.replace(joined, to)
    const { mixed, gate } = withoutGate(weight, c)
    return [
      { name: named(delta.apart.qkv), source: mixed },
      { name: named(delta.apart.gate), source: gate },
    ]
  }
  const module = moduleIn(weight.name, [...delta.kernels, delta.decayRate])
  const ordered = architecture.keysByTurns && !c.keysByTurns ? withHeadsOrdered(weight, delta, c, 'by-turns') : weight
  if (module === undefined) return [{ name: weight.name, source: ordered }]
  if (module !== delta.decayRate) return [{ name: weight.name, source: ordered, shape: kernelShape(ordered, c) }]
  const source = ratesOf(ordered, architecture.decayRates ?? 1)
  return [{ name: weight.name, source, shape: c.decay === 'channel' ? [c.nHeads, 1] : [c.nHeads] }]
}

/** Those of three convolutions have an axis more. */
function kernelShape({ cols }: WeightSource, { kernel, projections }: DeltaRuleConfig): number[] {
  const channels = cols / kernel
  return projections === 'apart' ? [channels, 1, kernel] : [channels, kernel]
}
