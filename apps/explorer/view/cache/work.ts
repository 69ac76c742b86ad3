/** What writing a text costs with a cache and without, and what the cache takes: counted by the planner. */
import { type PlanModel, plan } from '../../../../src/planning/index.ts'
import type { Kind } from '../../drawing/colours.ts'

/** FLOPs of a step. */
export interface StepCost {
  /** The whole text is computed again. */
  readonly without: number
  /** One token, over keys and values that are there; at first the prompt. */
  readonly with: number
}

/** Of step i, behind whose computation the text has `lengths[i]` tokens. */
export function costsOf(model: PlanModel, lengths: readonly number[]): StepCost[] {
  return lengths.map((context, i) => {
    const { prefill, decode } = plan(model, { context })
    const whole = prefill.work.linearFlops + prefill.work.attentionFlops
    return { without: whole, with: i === 0 ? whole : decode.work.linearFlops + decode.work.attentionFlops }
  })
}

/** The same model with one rolling window in all of its layers; a window that it has stays where it is smaller. */
export function windowed(model: PlanModel, window: number): PlanModel {
  return {
    ...model,
    layers: model.layers.map(layer => {
      return layer.attention.kind === 'state' ? layer : { ...layer, window: Math.min(layer.window ?? window, window) }
    }),
  }
}

export interface SameSizes {
  readonly kind: Kind
  readonly label: string
  /** Of so many tokens in all layers. */
  readonly bytes: number
  readonly own: boolean
}

/** The four kinds of attention for the model's heads, from the largest cache to the smallest; the model's own among them. */
export function sameSizes(model: PlanModel, cacheType: string, tokens: number): SameSizes[] {
  const shape = model.layers.find(({ attention }) => attention.kind !== 'state')?.attention
  if (shape === undefined || shape.kind === 'state') return []
  const { nHeads } = shape
  const own = plan(model, { cacheType, context: tokens }).cache.bytes
  const kind = shape.kind === 'latent' ? 'mla' : kindOf(shape.nKvHeads, nHeads)
  const groups = groupsOf(nHeads)
  const others: Partial<Record<Kind, string>> = {
    mha: 'mha',
    ...(groups !== undefined && { gqa: `gqa${groups}` }),
    ...(nHeads > 1 && { mqa: 'mqa' }),
    // DeepSeek's proportions (arXiv 2405.04434): a latent of four heads' width, a rope key of half of one's.
    ...(shape.kind === 'grouped' && { mla: `mla${4 * shape.keyDim}+${Math.ceil(shape.keyDim / 2)}` }),
  }
  delete others[kind]
  const found = Object.entries(others).map(([kind, name]): SameSizes => {
    const [one] = plan(model, { cacheType, context: tokens, compare: [name] }).compare
    return {
      kind: kind as Kind,
      label: kind === 'mla' ? 'MLA' : (one?.title ?? name),
      bytes: one?.bytes ?? 0,
      own: false,
    }
  })
  const label = shape.kind === 'grouped' && kind === 'gqa' ? `GQA-${shape.nKvHeads}` : kind.toUpperCase()
  return [...found, { kind, label, bytes: own, own: true }].sort((a, b) => b.bytes - a.bytes)
}

function kindOf(keyHeads: number, heads: number): Kind {
  if (keyHeads === heads) return 'mha'
  return keyHeads === 1 ? 'mqa' : 'gqa'
}

/** Between one and all: the largest divisor up to the square root, as 8 of 128; undefined where there is none. */
function groupsOf(heads: number): number | undefined {
  for (let groups = Math.floor(Math.sqrt(heads)); groups > 1; groups--) if (heads % groups === 0) return groups
  return undefined
}
