import type { CacheStats, ChatResult, Completion, ModelInfo } from '../../../src/index.ts'
import { colours } from './colour.ts'
import * as format from './format.ts'

/** An answer: complete, or the part before Ctrl-C. */
export type Answer = Pick<Completion, 'text' | 'tokenIds' | 'seed'> &
  Pick<ChatResult, 'finishReason'> &
  Partial<Pick<Completion, 'usage' | 'timings'>> &
  Partial<Pick<ChatResult, 'reasoning' | 'content' | 'toolCalls'>>

/** `tales-mla-8m · 200 tokens · 812 tok/s · first token 31 ms · cache 468 KiB · native avx2, 2 threads · seed 7` */
export function statsLine(answer: Answer, cache: CacheStats, info: ModelInfo, limit: number | undefined): string {
  const { timings, usage, finishReason } = answer
  const { name, isa, threads } = info.kernels
  const parts = [
    info.name,
    format.plural(usage?.completionTokens ?? answer.tokenIds.length, 'token'),
    ...(timings ? [format.rate(timings.tokensPerSecond), `first token ${format.duration(timings.firstTokenMs)}`] : []),
    ...(usage?.draftTokens ? [guesses(usage, timings?.draftSpeedUp)] : []),
    `cache ${format.bytes(cache.usedBytes)} for ${format.plural(cache.tokens, 'token')}`,
    `${name} ${isa}, ${format.plural(threads, 'thread')}`,
    `seed ${answer.seed}`,
  ]
  const ended = endOf(finishReason, info, limit)
  return colours(process.stderr).dim(`${ended === null ? '' : `${ended} · `}${parts.join(' · ')}`)
}

/** `61 of 80 guesses held, 1.3x as fast` */
function guesses({ acceptedTokens, draftTokens }: Completion['usage'], speedUp: number | undefined): string {
  const held = `${format.integer(acceptedTokens)} of ${format.integer(draftTokens)} guesses held`
  return speedUp === undefined ? held : `${held}, ${format.decimals(speedUp, 2)}x as fast`
}

/** The reason of the end, unless the text ended by itself. */
function endOf(reason: Answer['finishReason'], info: ModelInfo, limit: number | undefined): string | null {
  if (reason === 'aborted') return 'stopped'
  if (reason === 'length') return `ended by --max-tokens ${limit ?? ''}`.trimEnd()
  if (reason === 'context') return `the context of ${format.integer(info.contextLength)} tokens is full`
  return null
}

/** Remarks on a loaded model: why slower kernels are used, and oddities of its files. */
export function remarks({ fallbackReason, kernels, warnings }: ModelInfo): string[] {
  const { yellow } = colours(process.stderr)
  const fallback = fallbackReason === null ? [] : [`${fallbackReason.replace(/\.$/, '')}; ${kernels.name} is used`]
  return [...fallback, ...warnings].map(yellow)
}
