/** The plan in plain sentences: memory, whether it fits, speed at best, and the cost of other attention. */
import type { Plan, SmallestPipeline, SmallestRanks } from '../../../src/planning/index.ts'
import { plural } from '../output/format.ts'
import { bothUnits } from './amounts.ts'
import { deviceOf, speedOf, timesOf, tokensOf, usersOf } from './facts.ts'

/** Alternatives if the given devices do not suffice. */
export interface Remedies {
  readonly ranks: SmallestRanks | null
  readonly pipeline: SmallestPipeline | null
}

/** The first sentence is the answer, the others explain it. */
export function answerOf(p: Plan, remedies: Remedies): string[] {
  const sentences = [costOf(p), p.memory?.fits ? fits(p) : fitsNot(p, remedies), speed(p), others(p)]
  return sentences.filter(s => s !== '')
}

function costOf(p: Plan): string {
  const { model, cache, weights, batch } = p
  const each = batch === 1 ? '' : `, ${bothUnits(cache.bytesPerSequence)} for each`
  return (
    `${model.name} for ${usersOf(p)} needs ${bothUnits(cache.bytes)} of cache in ${cache.dtype}${each}${doubt(p, 'cache')}, ` +
    `beside ${bothUnits(weights.bytes)} of weights in ${weights.dtype}${doubt(p, 'weights')}.`
  )
}

/** Put into the first sentence, since people copy only that one. */
function doubt({ unknown }: Plan, about: 'cache' | 'weights'): string {
  const fields = unknown.filter(u => u.affects === about || u.affects === 'both').map(u => u.field)
  if (fields.length === 0) return ''
  const shown = fields.length > 4 ? [...fields.slice(0, 3), `${fields.length - 3} more`] : fields
  return ` (not counted or in doubt: ${shown.join(', ')})`
}

function fits(p: Plan): string {
  const { memory, perRank, ranks, batch, context } = p
  if (memory === null) return ''
  const where =
    ranks.total === 1
      ? `Both fit into ${deviceOf(p)}`
      : `Divided over ${devicesOf(p)}, ${bothUnits(perRank.bytes)} ${p.stages ? 'on the fullest' : 'each'}, every share fits into ${deviceOf(p)}`
  const more = [
    ...(memory.largestContext > context
      ? [`${tokensOf(memory.largestContext)} tokens${batch > 1 ? ' each' : ''}`]
      : []),
    ...(memory.largestBatch > batch ? [plural(memory.largestBatch, 'user')] : []),
  ]
  const room = more.length === 0 ? '' : `, room for ${more.join(' or ')}`
  return `${where}, with ${bothUnits(memory.bytes - perRank.bytes)} to spare${room}.`
}

function devicesOf({ ranks, stages }: Plan): string {
  if (!stages) return plural(ranks.total, 'rank')
  const each = ranks.total / stages.length
  return `${plural(stages.length, 'stage')}${each > 1 ? ` of ${plural(each, 'rank')}` : ''}`
}

function fitsNot(p: Plan, remedies: Remedies): string {
  const { memory, perRank, ranks } = p
  if (memory === null) return ''
  const alone = ranks.total === 1
  const whose = p.stages ? "The fullest stage's share" : "A rank's share"
  const what = alone ? 'They do not fit into' : `${whose}, ${bothUnits(perRank.bytes)}, does not fit into`
  return `${what} ${deviceOf(p)}: ${reason(p)}.${remedy(remedies, ranks.total)}`
}

function reason({ memory, perRank, ranks, batch }: Plan): string {
  if (memory === null) return ''
  if (perRank.weightBytes >= memory.bytes) return `the weights alone are ${bothUnits(perRank.weightBytes)}`
  const rooms = [
    ...(memory.largestContext > 0 ? [`${tokensOf(memory.largestContext)} tokens${batch > 1 ? ' each' : ''}`] : []),
    ...(memory.largestBatch > 0 ? [plural(memory.largestBatch, 'user')] : []),
  ]
  const beside = ranks.total === 1 ? 'beside the weights' : 'beside its weights'
  return rooms.length === 0
    ? `${beside} there is no room for a token`
    : `${beside} there is room for ${rooms.join(' or ')}`
}

function remedy({ ranks, pipeline }: Remedies, total: number): string {
  const whole = pipeline !== null && pipeline.stages > 1 && pipeline.stages !== total ? pipeline : null
  const shared = ranks !== null && ranks.total > total ? ranks : null
  const stages = whole && `--pp ${whole.stages}), layers whole, with at most ${bothUnits(whole.bytesPerStage)} on one`
  if (shared === null) return stages ? ` ${whole?.stages} of them would do as a pipeline (${stages}.` : ''
  const { tensorParallel: tp, dataParallel: dp, expertParallel, bytesPerRank } = shared
  const flags = [tp > 1 && `--tp ${tp}`, dp > 1 && `--dp ${dp}`, expertParallel && '--ep'].filter(Boolean).join(' ')
  const other = stages ? `; as a pipeline ${whole?.stages} (${stages}` : ''
  return ` ${shared.total} of them would do (${flags}), with ${bothUnits(bytesPerRank)} on each${other}.`
}

function speed(p: Plan): string {
  const { machine, decode, ranks } = p
  if (!machine || !decode.time || !decode.leastTime) return ''
  const { work, time, leastTime } = decode
  const through = p.stages
    ? `A decoding step, through all ${p.stages.length} stages in turn,`
    : 'A decoding step of a rank'
  const step = ranks.total === 1 ? 'A decoding step' : through
  const lucky =
    leastTime.seconds < 0.95 * time.seconds
      ? ` (${speedOf(p, leastTime.seconds)} if every user's token chose the same experts)`
      : ''
  const how = machine.measured ? 'about' : 'at best'
  const could = p.memory !== null && !p.memory.fits ? ', were it large enough,' : ''
  const links = ranks.total > 1 && !machine.measured ? ', links between ranks not counted' : ''
  return (
    `${step} reads ${bothUnits(work.weightBytes)} of weights and ${bothUnits(work.cacheBytes)} of cache: ` +
    `on ${machine.title}${could} ${how} ${speedOf(p, time.seconds)}${lucky}${links}.`
  )
}

function others({ compare }: Plan): string {
  if (compare.length === 0) return ''
  const parts = compare.map(({ title, ratio, bytes }) => `${bothUnits(bytes)} as ${title} (${timesOf(ratio)})`)
  return `The cache would be ${parts.join(', ')}.`
}
