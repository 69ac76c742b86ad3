/** A latent model of one size, before it is written. */
import { Checkpoint } from '../checkpoint/checkpoint.ts'
import { recoded } from '../checkpoint/recode/recoded.ts'
import type { TensorEntry } from '../checkpoint/tensor-entry.ts'
import type { SourceModel } from '../conversion/source-model.ts'
import { modelOf, type OpenedModel } from '../model/open/opened-model.ts'
import { readAttention } from './attention.ts'
import { factorise, keptWhole, type LayerFactors } from './factors.ts'
import { type FormOptions, latentConfig, layerTensors } from './form.ts'
import { momentsOf } from './moments.ts'
import type { Plan } from './plan.ts'
import { type Choice, frequenciesOf, isWhole } from './sizes.ts'
import { foldedSlots } from './slots.ts'
import type { WorkFolder } from './work-folder.ts'

export interface Candidate extends Choice {
  /** Its new tensors are in the work folder, until the next candidate's are. */
  readonly opened: OpenedModel
  /** By layer: the share of the weighted energy of keys and values that the latent does not hold. */
  readonly lossByLayer: readonly number[]
}

/** What all sizes of a model are computed from. */
export interface Sources {
  readonly source: SourceModel
  readonly plan: Plan
  /** Has the statistics of all layers. */
  readonly work: WorkFolder
  readonly form: FormOptions
  /** How much more keys count than their effect says. */
  readonly balance: number
  readonly signal?: AbortSignal | undefined
  readonly onLayer: (done: number) => void
}

export async function candidateOf(sources: Sources, choice: Choice): Promise<Candidate> {
  const { source, plan, work, form, balance, signal, onLayer } = sources
  const entries = new Map<string, TensorEntry>()
  const lossByLayer: number[] = []
  const whole = isWhole(plan, choice)
  onLayer(0)
  for (let layer = 0; layer < plan.layers; layer++) {
    signal?.throwIfAborted()
    const attention = await readAttention(source, plan, layer)
    let factors: LayerFactors
    if (whole) factors = keptWhole(attention, choice.rank)
    else {
      const slots = foldedSlots(attention.frequencies, frequenciesOf(choice))
      const moments = momentsOf(attention, await work.statistics(layer), attention.scale)
      factors = await factorise(attention, moments, slots, { rank: choice.rank, balance })
    }
    lossByLayer.push(factors.loss)
    const tensors = layerTensors(plan, choice, attention, factors, layer, form)
    for (const entry of await work.keepTensors(layer, tensors, whole ? 'f32' : newType(source)))
      entries.set(entry.name, entry)
    onLayer(layer + 1)
  }
  const config = latentConfig(source, plan, choice, choice.form, form)
  return { ...choice, opened: latentModel(source, entries, config), lossByLayer }
}

/** Attention is new, and so is config.json; the rest is the original's. */
function latentModel(source: SourceModel, attention: ReadonlyMap<string, TensorEntry>, config: object): OpenedModel {
  const tensors = new Map(attention)
  for (const weight of source.weights) {
    if (/\.self_attn\.([qkv]_proj\.(weight|bias)|o_proj\.bias)$/.test(weight.name)) continue
    const { name, dtype, rows, cols, bytes } = weight.scales ? recoded(weight, 'bf16') : weight
    const shape = weight.role === 'vector' ? [cols] : [rows, cols]
    tensors.set(name, { name, dtype: dtype.toUpperCase(), shape, bytes })
  }
  const { checkpoint } = source
  return modelOf(new Checkpoint({ ...checkpoint, config: config as Checkpoint['config'], tensors, absent: new Map() }))
}

/** Of new matrices: bf16 loses nothing that weights of 16 bits or fewer had to begin with. */
export function newType(source: SourceModel): 'f32' | 'bf16' {
  return source.weights.some(({ name, dtype }) => name.endsWith('.q_proj.weight') && dtype === 'f32') ? 'f32' : 'bf16'
}
