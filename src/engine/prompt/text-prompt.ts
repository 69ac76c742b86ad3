import { OptionError } from '../../errors.ts'
import type { GrammarSource } from '../../grammar/matcher.ts'
import { SAMPLING_OPTIONS } from '../../sampling/options.ts'
import { StopMatcher } from '../../sampling/stop-sequences.ts'
import type { Speculation } from '../../speculation/speculation.ts'
import { firstIdAfter } from '../load/generation-defaults.ts'
import type { Parts } from '../load/load-parts.ts'
import { drawnWith } from '../load/sampling-defaults.ts'
import { SamplerState, type SavedSampler } from '../loop/sampler-state.ts'
import type { Sequence } from '../loop/sequence.ts'
import type { StepLoop } from '../loop/step-loop.ts'
import type { DrawMask } from '../loop/text-mask.ts'
import { type Rolling, type TextResult, TextRun } from '../loop/text-run.ts'
import { TextStream } from '../loop/text-stream.ts'
import { TokenWriter } from '../loop/token-writer.ts'
import type { Timeline } from '../past/timeline.ts'
import type { PromptProgress, SamplingOptions } from '../types/options/prompt.ts'
import type { HostPromptOptions } from '../types/protocol.ts'
import type { Chunk } from '../types/results.ts'
import { reusePrefix } from './prefix-reuse.ts'
import type { PromptIds } from './prompt-ids.ts'
import { promptMask } from './prompt-mask.ts'
import { resumeText } from './resume.ts'
import { biasOf, tokenRules } from './token-rules.ts'

export interface TextPromptContext {
  readonly parts: Parts
  readonly loop: StepLoop
  readonly now: () => number
  /** What the timeline's text was drawn with, where it can go on; else null. */
  readonly drawing: SavedSampler | null
  readonly speculation: Speculation | null
  /** Where the context rolls. */
  readonly rolling: Rolling | null
  /** What the text is held to, when it is known; null: nothing. */
  readonly grammar: Promise<GrammarSource> | null
  emit(chunk: Chunk): void
  /** Hears how far the prompt is read; undefined: nobody asked. */
  readonly reading?: ((progress: PromptProgress) => void) | undefined
}

/** What a text has come to, and what a text that goes on from it is drawn with; null: none can. */
export interface TextAnswer {
  readonly result: TextResult
  readonly drawing: SavedSampler | null
}

/** A prompt that is answered by drawing token after token. */
export interface TextPrompt {
  readonly run: Sequence
  readonly answer: Promise<TextAnswer>
}

/** Begins to answer. Throws at once for a prompt that does not fit or options that are wrong. */
export function beginText(
  context: TextPromptContext,
  timeline: Timeline,
  prompt: PromptIds,
  options: HostPromptOptions,
  asked: number,
): TextPrompt {
  const { parts, loop, now, emit } = context
  if (context.rolling && options.useCache === false) {
    throw new OptionError('useCache is false in a session that rolls; what is dropped there are cached rows')
  }
  const { tokenizer, defaults } = parts
  const before = timeline.tokens
  const sampling = { ...drawnWith(defaults.sampling, samplingOf(options)), ...biasOf(options, tokenizer) }
  const { stopSequences = [], minTokens = defaults.minTokens } = options
  const split = (text: string) => tokenizer.splitAtSpecial(text)
  const stops = stopSequences.length > 0 ? new StopMatcher(stopSequences, split) : null
  const { ids, continues } = prompt
  const { resumes, extent } = reusePrefix(parts, timeline, prompt, options, sampling.mirostat !== undefined)
  const saved = resumes && options.seed === undefined ? context.drawing : null
  const drawing = saved ? SamplerState.resume(saved, sampling) : SamplerState.begin(sampling, ids)
  const refused = (error: unknown) => sequence.fail(error)
  const own = new Set(options.ignoreEos ? [] : [...defaults.eosTokenIds, ...(prompt.ends ?? [])])
  const eos = new Set([...own, ...stopIds(options, tokenizer.vocabSize)])
  const firstId = firstIdAfter(ids, defaults)
  const others = tokenRules(
    { ...options, minTokens },
    { tokenizer, defaults, firstId, eos, prompt: ids, ids: () => sequence.rows.ids },
  )
  const room = context.rolling ? Number.POSITIVE_INFINITY : timeline.cache.maxTokens - ids.length
  const left = (): number => Math.min(writer.left, room - writer.tokenIds.length)
  const mask: DrawMask | null =
    context.grammar &&
    promptMask(parts, context.grammar, prompt, {
      ...{ firstId, patience: loop.patience, left, refused },
      ...(options.trigger && { trigger: options.trigger }),
    })
  // The caller's side reads the value from all of a text, also from what was shown elsewhere.
  let held = ''
  const emitHeld = (chunk: Chunk) => {
    emit(held === '' ? chunk : { ...chunk, before: held })
    held = ''
  }
  const writer: TokenWriter = new TokenWriter({
    eos,
    own,
    // Other rules may choose among what the grammar allows.
    rules: mask ? [mask, ...others] : others,
    maxTokens: options.maxTokens ?? Number.POSITIVE_INFINITY,
    sampler: drawing.sampler,
    history: drawing.history,
    logprobs: options.logprobs,
    text: new TextStream({
      tokenizer,
      stops,
      after: continues ? ids : [],
      skipSpecialTokens: options.skipSpecialTokens ?? true,
      minTokens,
    }),
    now,
    asked,
    retraced: text => {
      if (mask && !mask.isReasoning) held += text
    },
    emit: mask ? chunk => emitHeld(mask.isReasoning ? { ...chunk, reasoning: true } : chunk) : emit,
  })
  const resumed = resumeText(writer, options.resume?.tokenIds ?? [], { room, learns: drawing.sampler.learns })
  let answered: (answer: TextAnswer) => void
  const answer = new Promise<TextAnswer>(resolve => {
    answered = resolve
  })
  const ended = (result: TextResult) => {
    if (held !== '') emitHeld({ text: '', tokenId: writer.tokenIds.at(-1) as number })
    const nextDrawing = timeline.endsGenerated ? drawing.state : null
    answered({ result, drawing: timeline.tokens === before ? context.drawing : nextDrawing })
  }
  const { sequence } = new TextRun({
    timeline,
    prompt: ids,
    promptTokens: prompt.source?.length ?? ids.length,
    ...resumed,
    extent,
    path: options.attentionPath,
    forgets: options.useCache === false,
    contextLength: timeline.cache.maxTokens,
    rolling: context.rolling,
    priority: options.priority ?? 0,
    // Guesses stand on rows that stay.
    speculation: options.useCache === false ? null : context.speculation,
    writer,
    mask,
    reading: context.reading,
    ended,
  })
  loop.add(sequence)
  return { run: sequence, answer }
}

/** Throws OptionError for an id that no token has: it would never end a text. */
function stopIds({ stopTokenIds = [] }: HostPromptOptions, vocabSize: number): readonly number[] {
  const foreign = stopTokenIds.findIndex(id => id >= vocabSize)
  if (foreign < 0) return stopTokenIds
  throw new OptionError(
    `stopTokenIds[${foreign}] is ${stopTokenIds[foreign]}; expected an id of the model's, 0 to ${vocabSize - 1}`,
  )
}

/** Those that concern drawing. What is there but undefined is not given: it must not hide a default. */
function samplingOf(options: SamplingOptions): SamplingOptions {
  const names = Object.keys(SAMPLING_OPTIONS) as (keyof SamplingOptions)[]
  return Object.fromEntries(names.map(name => [name, options[name]]).filter(([, value]) => value !== undefined))
}
