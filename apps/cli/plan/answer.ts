/** The answer in plain sentences: does it fit, what fits, how fast at best, what other attention would have cost. */
import type { Plan, SmallestRanks } from '../../../src/index.ts'
import { bothUnits, deviceOf, integer, plural, speedOf, tokens, usersOf } from './facts.ts'

export function answerOf(p: Plan, smallest: SmallestRanks | null): string {
  return [costSentence(p), fitSentence(p, smallest), speedSentence(p), compareSentence(p)].filter(Boolean).join(' ')
}

function costSentence({ model, cache, weights, batch, ...p }: Plan): string {
  const who = usersOf({ model, cache, weights, batch, ...p })
  const each = batch === 1 ? '' : `, ${bothUnits(cache.bytesPerSequence)} for each`
  return (
    `${model.name} for ${who} needs ${bothUnits(cache.bytes)} of cache in ${cache.dtype}${each}, ` +
    `beside ${bothUnits(weights.bytes)} of weights in ${weights.dtype}.`
  )
}

function fitSentence(p: Plan, smallest: SmallestRanks | null): string {
  const { memory, perRank, ranks, batch } = p
  if (memory === null) return ''
  const device = deviceOf(p)
  if (memory.fits) {
    const room = memory.bytes - perRank.bytes
    const where = ranks.total === 1 ? `It fits into ${device}` : `It fits: ${plural(ranks.total, 'rank')} hold ${bothUnits(perRank.bytes)} each, of ${device}`
    const more = [
      memory.largestContext > p.context && `${tokens(memory.largestContext)} tokens`,
      memory.largestBatch > batch && plural(memory.largestBatch, 'user'),
    ].filter(Boolean)
    return `${where}, with ${bothUnits(room)} to spare${more.length > 0 ? `: room for ${more.join(' or ')}` : ''}.`
  }
  const whole = ranks.total === 1 ? 'It does not fit into' : `${plural(ranks.total, 'rank')} of ${bothUnits(perRank.bytes)} each do not fit into`
  const why =
    perRank.weightBytes > memory.bytes
      ? ranks.total === 1 ? 'the weights alone are larger' : "a rank's weights alone are larger"
      : memory.largestContext > 0
        ? `beside the weights there is room for ${plural(memory.largestContext, 'token')}${batch > 1 ? ' each' : ''}${memory.largestBatch > 0 ? ` or ${plural(memory.largestBatch, 'user')}` : ''}`
        : 'beside the weights there is no room for a single token'
  return `${whole} ${device}: ${why}.${remedy(smallest, ranks.total)}`
}

function remedy(smallest: SmallestRanks | null, total: number): string {
  if (smallest === null || smallest.total <= total) return ''
  const { tensorParallel: tp, dataParallel: dp, bytesPerRank } = smallest
  const flags = [tp > 1 && `--tp ${tp}`, dp > 1 && `--dp ${dp}`, smallest.expertParallel && '--ep'].filter(Boolean)
  return ` ${smallest.total} such devices would do (${flags.join(' ')}), with ${bothUnits(bytesPerRank)} on each.`
}

function speedSentence(p: Plan): string {
  const { machine, decode, ranks, batch } = p
  if (!machine || !decode.time) return ''
  const { work, time, leastTime } = decode
  const spread =
    leastTime && leastTime.seconds < 0.95 * time.seconds && batch > 1
      ? ` (${speedOf(p, leastTime.seconds)} if all users' tokens chose the same experts)`
      : ''
  const per = ranks.total === 1 ? 'A step' : 'A step of a rank'
  return (
    `${per} reads ${bothUnits(work.weightBytes)} of weights and ${bothUnits(work.cacheBytes)} of cache: ` +
    `at best ${speedOf(p, time.seconds)} on ${machine.title}${spread}.`
  )
}

function compareSentence({ compare, model }: Plan): string {
  if (compare.length === 0) return ''
  const parts = compare.map(({ title, ratio, bytes }) => {
    const factor = ratio >= 1 ? `${times(ratio)} as much` : `${times(1 / ratio)} less`
    return `${title} ${bothUnits(bytes)}, ${factor}`
  })
  return `The same cache as ${parts.join('; as ')}${model.layers.some(l => l.attention.kind === 'latent') ? '' : ''}.`
}

function times(factor: number): string {
  return `${factor.toLocaleString('en-GB', { maximumFractionDigits: factor < 10 ? 2 : 1 })} times`
}

export { integer }
