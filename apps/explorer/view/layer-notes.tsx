/** Above the pictures of a model: how its layers attend, and what of it no picture shows. */
import { type PlanModel, planModelFromJson } from '../../../src/planning/index.ts'
import type { Numbers, TextReading } from '../numbers/numbers.ts'
import { type Slot, useModel } from '../state/model.ts'
import { useAnswer } from '../state/use-answer.ts'
import { attentionNotes } from './attention-notes.ts'

interface Props {
  reading: TextReading
  slot?: Slot
  /** Of this layer alone. Default: of all. */
  layer?: number
}

export function LayerNotes({ reading, slot = 'main', layer }: Props) {
  const model = useModel(slot)
  const numbers = model.status === 'ready' ? model.numbers : undefined
  const experts = useAnswer(
    async () => (numbers && layer === undefined ? expertsOf(numbers) : undefined),
    [numbers, layer],
  )
  const notes = [...attentionNotes(reading, layer), ...(experts === undefined ? [] : [experts])]
  return (
    <p class="hint" data-notes>
      {notes.join(' ')}
    </p>
  )
}

/** What a config.json says of experts; undefined without any, and where the planner does not know the model. */
async function expertsOf(numbers: Numbers): Promise<string | undefined> {
  // The planner plans caches, and an encoder has none.
  if (!numbers.info.generates) return undefined
  const layers = layersOf(await numbers.config())
  const mlp = layers.map(one => one.mlp).find(one => one.kind === 'moe')
  if (mlp?.kind !== 'moe') return undefined
  return `Its MLPs are ${mlp.nExperts} experts, of which a token uses ${mlp.topK}: attention has none, so these views show nothing of them.`
}

function layersOf(config: object): PlanModel['layers'] {
  try {
    return planModelFromJson(config).layers
  } catch {
    return []
  }
}
