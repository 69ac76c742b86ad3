import type { GrammarSource } from '../../grammar/matcher.ts'
import { bannedAfter } from '../../sampling/banned-ids.ts'
import { BeamSearch, type EndedBeam } from '../../sampling/beam-search.ts'
import { firstIdAfter } from '../load/generation-defaults.ts'
import type { Parts } from '../load/load-parts.ts'
import type { StepLoop } from '../loop/step-loop.ts'
import { TextStream } from '../loop/text-stream.ts'
import type { Timeline } from '../past/timeline.ts'
import type { BeamOptions } from '../types/options/continued.ts'
import type { HostPromptOptions } from '../types/protocol.ts'
import type { BeamText, Chunk, Completion } from '../types/results.ts'
import { BeamMasks } from './beam-masks.ts'
import { BeamRun } from './beam-run.ts'
import { reusePrefix } from './prefix-reuse.ts'
import type { PromptIds } from './prompt-ids.ts'

export interface BeamPromptContext {
  readonly parts: Parts
  readonly loop: StepLoop
  readonly now: () => number
  /** What the texts are held to, when it is known; null: nothing. */
  readonly grammar: Promise<GrammarSource> | null
  emit(chunk: Chunk): void
}

/** What a beam search has come to: the completion, and the timeline with the best text. */
export interface BeamAnswer {
  readonly completion: Completion
  readonly timeline: Timeline
}

/** A prompt that is answered by beam search. */
export interface BeamPrompt {
  readonly run: BeamRun
  /** Null if it was aborted. */
  readonly answer: Promise<BeamAnswer | null>
}

/** Begins to answer; `timeline` becomes the search's own. Throws ContextLengthError, OptionError. */
export function beginBeams(
  { parts, loop, now, grammar, emit }: BeamPromptContext,
  timeline: Timeline,
  prompt: PromptIds,
  options: HostPromptOptions,
  asked: number,
): BeamPrompt {
  const { ids, continues } = prompt
  const { extent } = reusePrefix(parts, timeline, prompt, options)
  const { width, lengthPenalty = 1, earlyStopping = false } = options.beams as BeamOptions
  const room = timeline.cache.maxTokens - ids.length
  const maxTokens = Math.min(options.maxTokens ?? Number.POSITIVE_INFINITY, room)
  const eos = new Set(options.ignoreEos ? [] : [...parts.defaults.eosTokenIds, ...(prompt.ends ?? [])])
  const { bannedIds } = parts.defaults
  const firstId = firstIdAfter(ids, parts.defaults)
  const banned = bannedIds && ((after: readonly number[]) => bannedAfter(bannedIds, [...ids, ...after]))
  const search = new BeamSearch({
    ...{ width, maxTokens, eos, lengthPenalty, earlyStopping, firstId },
    ...(banned && { banned }),
  })
  const promptTokens = prompt.source?.length ?? ids.length
  const began = now()
  const path = options.attentionPath
  const opening = grammar?.then(source => parts.masks.open(source))
  const masks = opening ? new BeamMasks(opening, firstId) : null
  const priority = options.priority ?? 0
  const run = new BeamRun({ loop, search, masks, timeline, prompt: ids, extent, path, priority, now })

  const limit = maxTokens === options.maxTokens ? 'length' : 'context'
  /** The text, its chunks told to `tell`. */
  const textOf = (tokenIds: readonly number[], tell?: (chunk: Chunk) => void): string => {
    const after = continues ? ids : []
    const { skipSpecialTokens = true } = options
    const stream = new TextStream({ tokenizer: parts.tokenizer, stops: null, after, skipSpecialTokens })
    const texts = tokenIds.map((id, i) => stream.push(id).text + (i === tokenIds.length - 1 ? stream.flush() : ''))
    for (const [i, tokenId] of tokenIds.entries()) tell?.({ text: texts[i] as string, tokenId })
    return texts.join('')
  }
  const beamText = ({ ids: tokenIds, ends, logprob, score }: EndedBeam): BeamText => {
    return { text: textOf(tokenIds), tokenIds, finishReason: ends === 'eos' ? 'stop' : limit, logprob, score }
  }
  const answer = async (): Promise<BeamAnswer | null> => {
    const outcome = await run.run()
    if (!outcome) return null
    const beams = search.ended.map(beamText)
    const tokenIds = beams[0]?.tokenIds ?? []
    const [end, promptMs] = [now(), outcome.read - began]
    const generationMs = end - outcome.read
    const perSecond = (count: number, ms: number) => (ms > 0 ? (count * 1000) / ms : 0)
    const completion: Completion = {
      text: textOf(tokenIds, emit),
      tokenIds,
      finishReason: beams[0]?.finishReason ?? limit,
      usage: {
        promptTokens,
        cachedTokens: outcome.reused,
        completionTokens: tokenIds.length,
        draftTokens: 0,
        acceptedTokens: 0,
      },
      timings: {
        firstTokenMs: end - asked,
        promptMs,
        generationMs,
        promptTokensPerSecond: perSecond(promptTokens - outcome.reused, promptMs),
        tokensPerSecond: perSecond(tokenIds.length, generationMs),
      },
      seed: options.seed ?? 0,
      beams,
    }
    return { completion, timeline: outcome.timeline }
  }
  return { run, answer: answer() }
}
