/** A plan's numbers as words: what all of its pictures share. */
import type { Plan } from '../../../src/index.ts'
import { count, duration, integer, plural } from '../output/format.ts'
import { bothUnits, tens } from './amounts.ts'

type Kind = Plan['model']['layers'][number]

/** `MLA 512 + 64`, `GQA 32/8 x 128`, `MQA 71/1 x 64`, `MHA 12 x 64`. */
export function attentionName(a: Kind['attention']): string {
  if (a.kind === 'latent') return `MLA ${a.kvLoraRank} + ${a.qkRopeHeadDim}`
  const dims = a.keyDim === a.valueDim ? `${a.keyDim}` : `${a.keyDim}/${a.valueDim}`
  if (a.nKvHeads === a.nHeads) return `MHA ${a.nHeads} x ${dims}`
  return `${a.nKvHeads === 1 ? 'MQA' : 'GQA'} ${a.nHeads}/${a.nKvHeads} x ${dims}`
}

/** Kinds of layers as the cache sees them: `22 layers GQA … seeing 512 tokens, 4 layers GQA …`. */
export function layersOf({ model }: Plan): string {
  const counts = new Map<string, number>()
  for (const { attention, window, indexer, count: n } of model.layers) {
    const seeing = window === null ? '' : ` seeing ${integer(window)} tokens`
    const chosen = indexer ? `, an indexer choosing ${integer(indexer.topK)} keys` : ''
    const name = `${attentionName(attention)}${seeing}${chosen}`
    counts.set(name, (counts.get(name) ?? 0) + n)
  }
  return [...counts].map(([name, n]) => `${plural(n, 'layer')} of ${name}`).join(', ')
}

/** `671 B parameters, 36.6 B read per token`. */
export function parametersOf({ weights: w }: Plan): string {
  const all = `${count(w.parameters)} parameters`
  return w.activeParameters < 0.97 * w.parameters ? `${all}, ${count(w.activeParameters)} read per token` : all
}

export function usersOf({ batch, context }: Plan): string {
  return batch === 1 ? `${plural(context, 'token')}` : `${plural(batch, 'user')} at ${plural(context, 'token')} each`
}

/** `one NVIDIA H100 SXM`, `80 GB (74.506 GiB)`. */
export function deviceOf({ machine, memory }: Plan): string {
  if (memory === null) return machine?.title ?? 'the device'
  const own = machine?.memoryBytes === memory.bytes
  return own ? `one ${machine.title} (${tens(memory.bytes)})` : bothUnits(memory.bytes)
}

export function tokens(n: number): string {
  return Number.isFinite(n) ? integer(n) : 'any'
}

/** Steps a second, and tokens where a step makes several. */
export function speedOf({ batch, ranks }: Plan, seconds: number): string {
  const steps = 1 / seconds
  const perSecond = (n: number) => n.toLocaleString('en-GB', { maximumFractionDigits: n < 10 ? 2 : n < 100 ? 1 : 0 })
  const each = `${perSecond(steps)} tokens/s`
  // Ranks of a data-parallel group each make their own sequences' tokens in the same time.
  return batch === 1 ? each : `${each} for each user, ${perSecond(steps * batch)} in all${ranks.dataParallel > 1 ? ' ranks' : ''}`
}

export { bothUnits, duration, integer, plural }
