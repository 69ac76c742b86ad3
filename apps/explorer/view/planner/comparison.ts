/** The model's cache beside that of the same heads with other attention. */
import { type Plan, plan } from '../../../../src/planning/index.ts'
import type { Kind } from '../../drawing/colours.ts'
import type { Series } from '../../drawing/line-chart.tsx'
import type { PlannerSettings } from './settings.ts'

export interface Variant {
  readonly kind: Kind
  readonly label: string
  /** Cache of the batch in bytes. */
  readonly bytes: number
  /** Whether the model has this attention itself. */
  readonly own: boolean
}

/** Other attention for the same heads, where they can be shared like that. */
export function othersOf({ model, cacheType }: PlannerSettings): string[] {
  return ['mha', 'gqa8', 'mqa'].filter(name => {
    try {
      plan(model, { context: 1, cacheType, compare: [name] })
      return true
    } catch {
      return false
    }
  })
}

/** The kind of attention that most layers have. */
export function ownKind({ layers }: PlannerSettings['model']): Kind | undefined {
  const attention = layers
    .filter(layer => layer.attention.kind !== 'state')
    .sort((a, b) => b.count - a.count)[0]?.attention
  if (attention === undefined || attention.kind === 'state') return undefined
  if (attention.kind === 'latent') return 'mla'
  if (attention.nKvHeads === attention.nHeads) return 'mha'
  return attention.nKvHeads === 1 ? 'mqa' : 'gqa'
}

const KINDS: Readonly<Record<string, Kind>> = { MHA: 'mha', 'GQA-8': 'gqa', MQA: 'mqa' }

/** The model's own first unless it is among the others, which are from the largest to the smallest. */
export function variantsOf(p: Plan, own: Kind | undefined): Variant[] {
  const perToken = p.cache.bytesPerToken
  const others = p.compare.map(one => ({
    kind: KINDS[one.title] ?? 'mha',
    label: one.title,
    bytes: one.bytes,
    own: KINDS[one.title] === own && one.bytesPerToken === perToken,
  }))
  if (own === undefined || others.some(one => one.own)) return others
  const label = own === 'mla' ? 'MLA' : own === 'gqa' ? ownGroups(p) : own.toUpperCase()
  return [...others, { kind: own, label, bytes: p.cache.bytes, own: true }].sort((a, b) => b.bytes - a.bytes)
}

function ownGroups({ model }: Plan): string {
  const shape = model.layers.find(layer => layer.attention.kind === 'grouped')?.attention
  return shape?.kind === 'grouped' ? `GQA-${shape.nKvHeads}` : 'GQA'
}

/** Cache over context, for each variant. */
export function curvesOf(settings: PlannerSettings, own: Kind | undefined, compare: readonly string[]): Series[] {
  const { model, batch, cacheType } = settings
  const contexts = Array.from({ length: 21 }, (_, i) => 1024 * 2 ** (i / 2))
  const plans = contexts.map(context => {
    const p = plan(model, { context: Math.round(context), batch, cacheType, compare })
    return { context, variants: variantsOf(p, own) }
  })
  const labels = plans[0]?.variants ?? []
  return labels.map(({ label, kind, own: strong }) => ({
    ...{ label, kind, strong },
    points: plans.map(({ context, variants }) => {
      return [context, variants.find(one => one.label === label)?.bytes ?? 0] as const
    }),
  }))
}
