/** A plan's numbers as words: what all of its views share. */
import type { Plan } from '../../../src/planning/index.ts'
import { count, integer, plural } from '../output/format.ts'
import { bothUnits, tens } from './amounts.ts'

type Attention = Plan['model']['layers'][number]['attention']

/** `MLA 512 + 64`, `delta rule 16 x 128 x 128`, `GQA 32/8 x 128`, `MQA 71/1 x 64`, `MHA 12 x 64`. */
export function attentionName(a: Attention): string {
  if (a.kind === 'latent') return `MLA ${a.kvLoraRank} + ${a.qkRopeHeadDim}`
  if (a.kind === 'state') return a.name
  const dims = a.keyDim === a.valueDim ? `${a.keyDim}` : `${a.keyDim}/${a.valueDim}`
  if (a.nKvHeads === a.nHeads) return `MHA ${a.nHeads} x ${dims}`
  return `${a.nKvHeads === 1 ? 'MQA' : 'GQA'} ${a.nHeads}/${a.nKvHeads} x ${dims}`
}

/** `15 layers of MQA 4/1 x 256 that see 512 tokens, 3 layers of MQA 4/1 x 256`. */
export function layersOf({ model }: Plan): string {
  // One layer sees, two layers see.
  const kinds = new Map<string, { n: number; one: string }>()
  const nameOf = ({ attention, window, indexer, sharesRows }: Plan['model']['layers'][number], s: '' | 's') => {
    const seen = window === null ? '' : ` that see${s} ${plural(window, 'token')}`
    const chosen =
      indexer === null
        ? ''
        : indexer.shared
          ? ` that see${s} the ${plural(indexer.topK, 'token')} chosen before`
          : ` with an indexer that chooses ${plural(indexer.topK, 'token')}`
    const whose = sharesRows ? `${window === null ? ' that' : ' and'} read${s} an earlier layer’s keys` : ''
    return `${attentionName(attention)}${seen}${chosen}${whose}`
  }
  for (const layers of model.layers) {
    const many = nameOf(layers, '')
    kinds.set(many, { n: (kinds.get(many)?.n ?? 0) + layers.count, one: nameOf(layers, 's') })
  }
  return [...kinds].map(([many, { n, one }]) => `${plural(n, 'layer')} of ${n === 1 ? one : many}`).join(', ')
}

export function parametersOf({ weights: w }: Plan): string {
  const all = `${count(w.parameters)} (${integer(w.parameters)})`
  return w.activeParameters < 0.97 * w.parameters ? `${all}, ${count(w.activeParameters)} read per token` : all
}

export function usersOf({ batch, context }: Pick<Plan, 'batch' | 'context'>): string {
  const length = plural(context, 'token')
  return batch === 1 ? length : `${plural(batch, 'user')} at ${length} each`
}

/** `one NVIDIA H100 SXM (80 GB)` or the memory that was given. */
export function deviceOf({ machine, memory }: Plan): string {
  if (memory === null) return machine?.title ?? 'the device'
  return machine?.memoryBytes === memory.bytes
    ? `one ${machine.title} (${tens(memory.bytes)})`
    : bothUnits(memory.bytes)
}

/** Windows alone keep a cache below any budget. */
export function tokensOf(n: number): string {
  return Number.isFinite(n) ? integer(n) : 'any number'
}

/** `72.5 tokens/s`; for several users also what they get together. */
export function speedOf({ batch }: Plan, seconds: number): string {
  const each = `${perSecond(1 / seconds)} tokens/s`
  return batch === 1 ? each : `${each} for each user, ${perSecond(batch / seconds)} in all`
}

export function perSecond(n: number): string {
  return n.toLocaleString('en-GB', { maximumFractionDigits: n < 10 ? 2 : n < 1000 ? 1 : 0 })
}

export function timesOf(factor: number): string {
  return `${factor.toLocaleString('en-GB', { maximumFractionDigits: factor < 10 ? 3 : 2 })}×`
}

/** `73.6 TFLOP` */
export function flopsOf(flops: number): string {
  const units = ['', 'K', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(flops) / 3)))
  return `${(flops / 1000 ** step).toLocaleString('en-GB', { maximumSignificantDigits: 3 })} ${units[step]}FLOP`
}
