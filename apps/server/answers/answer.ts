/** An ask becomes a stream of events: the engine's sessions behind one form. */
import { setMaxListeners } from 'node:events'
import type { Completion, Engine, Session } from '../../../src/index.ts'
import type { Ask, AskOptions, ChatInput, InfillInput, TextInput } from './ask.ts'
import { engineCallIds, wireCallId } from './call-ids.ts'
import { EventQueue } from './event-queue.ts'
import type { AnswerEvent, AnswerTimings, EndReason, TokenCounts } from './events.ts'
import { TokenTexts } from './token-texts.ts'

/** An engine with what is remembered of it. */
export interface AnswerEngine {
  readonly engine: Engine
  readonly texts: TokenTexts
}

export function answerEngine(engine: Engine): AnswerEngine {
  return { engine, texts: new TokenTexts(engine) }
}

/** One text of an answer when it is done. */
interface Written {
  readonly counts: TokenCounts
  readonly timings: AnswerTimings
}

type Emit = (event: AnswerEvent) => void

/**
 * Begins at once. The iteration throws what the engine throws (OptionError, ContextLengthError, SchemaError …) and the signal's
 * reason; whoever leaves it early aborts the signal.
 */
export function answer(target: AnswerEngine, ask: Ask): AsyncIterable<AnswerEvent> {
  const queue = new EventQueue<AnswerEvent>()
  let begun = false
  const emit = (event: AnswerEvent) => {
    if (!begun) queue.push({ type: 'begun' })
    begun = true
    queue.push(event)
  }
  write(target, ask, emit).then(
    () => queue.end(),
    error => queue.fail(ask.signal.aborted ? ask.signal.reason : error),
  )
  return queue
}

async function write(target: AnswerEngine, ask: Ask, emit: Emit): Promise<void> {
  const { n = 1 } = ask
  await using first = target.engine.session(ask.cacheSalt === '' ? {} : { cacheSalt: ask.cacheSalt })
  try {
    const all =
      n === 1 ? [await writeOne(target, first, ask, 0, emit)] : await writeSeveral(target, first, { ...ask, n }, emit)
    ask.left?.([...first.tokens])
    emit({ type: 'usage', ...total(all) })
  } catch (error) {
    ask.left?.([...first.tokens])
    throw error
  }
}

/** The prompt is read once; then each text goes on in a fork. */
async function writeSeveral(target: AnswerEngine, first: Session, ask: Ask & { n: number }, emit: Emit) {
  const { logprobs: _, minTokens: __, ...options } = ask.options
  const read = await writeOne(target, first, { ...ask, options: { ...options, maxTokens: 0 } }, 0, event => {
    if (event.type === 'progress') emit(event)
  })
  // A text that one of them cannot end ends them all.
  const ended = new AbortController()
  const signal = AbortSignal.any([ask.signal, ended.signal])
  // Each text listens; that is no leak.
  setMaxListeners(0, signal)
  const forks = await Promise.all(Array.from({ length: ask.n }, () => first.fork()))
  try {
    const texts = forks.map((fork, choice) => {
      const seed = ask.options.seed === undefined ? {} : { seed: ask.options.seed + choice }
      // Of a text nothing is left to say; messages are the whole conversation.
      const input = ask.input.kind === 'text' ? { ...ask.input, prompt: '' } : ask.input
      const one = { ...ask, input, options: { ...ask.options, ...seed }, signal }
      return writeOne(target, fork, one, choice, emit).catch(error => {
        ended.abort(error)
        throw error
      })
    })
    const all = await Promise.all(texts)
    return all.map(text => ({
      counts: { ...text.counts, prompt: read.counts.prompt, cached: read.counts.cached },
      timings: { ...read.timings, generationMs: text.timings.generationMs },
    }))
  } finally {
    await Promise.all(forks.map(fork => fork.dispose()))
  }
}

function writeOne(target: AnswerEngine, session: Session, ask: Ask, choice: number, emit: Emit): Promise<Written> {
  return ask.input.kind === 'chat'
    ? writeChat(target, session, ask, ask.input, choice, emit)
    : writeText(target, session, ask, ask.input, choice, emit)
}

async function writeText(
  { engine, texts }: AnswerEngine,
  session: Session,
  { options, signal }: Ask,
  input: TextInput | InfillInput,
  choice: number,
  emit: Emit,
): Promise<Written> {
  const given = { ...heldBy(engine, options), signal, onPromptProgress: progressTo(emit) }
  const generation =
    input.kind === 'infill'
      ? session.infill({ prefix: input.prefix, suffix: input.suffix }, given)
      : session.prompt(typeof input.prompt === 'string' ? input.prompt : { tokenIds: input.prompt }, given)
  for await (const { text, logprobs, reasoning = false } of generation) {
    if (logprobs) emit({ type: 'logprobs', choice, tokens: await texts.drawn([logprobs]) })
    if (text !== '') emit({ type: reasoning ? 'reasoning' : 'text', choice, text })
  }
  const { finishReason, stopSequence = null, seed, usage, timings } = await generation
  emit({ type: 'finished', choice, reason: reasonOf(finishReason), stopSequence, seed })
  return written(usage, 0, timings)
}

async function writeChat(
  { engine, texts }: AnswerEngine,
  session: Session,
  { options, signal }: Ask,
  { kind: _, messages, ...conversation }: ChatInput,
  choice: number,
  emit: Emit,
): Promise<Written> {
  // Special tokens are how answers are read; a template writes the others.
  const { skipSpecialTokens: __, addSpecialTokens: ___, ...drawing } = heldBy(engine, options)
  const chat = session.chat(engineCallIds(messages), {
    ...drawing,
    ...conversation,
    signal,
    onPromptProgress: progressTo(emit),
  })
  for await (const event of chat) {
    switch (event.type) {
      case 'content':
        emit({ type: 'text', choice, text: event.text })
        break
      case 'reasoning':
        emit({ type: 'reasoning', choice, text: event.text })
        break
      case 'logprobs':
        emit({ type: 'logprobs', choice, tokens: await texts.drawn(event.logprobs) })
        break
      case 'callStart':
        emit({ type: 'call-begun', choice, call: event.index, id: wireCallId(event.id), name: event.name })
        break
      case 'arguments':
        emit({ type: 'call-arguments', choice, call: event.index, text: event.text })
        break
      case 'callEnd':
        emit({ type: 'call-ended', choice, call: event.index, complete: event.complete })
        break
    }
  }
  const { finishReason, stopSequence = null, usage, timings, seed } = await chat
  const reason = finishReason === 'toolCalls' || finishReason === 'rounds' ? 'calls' : reasonOf(finishReason)
  emit({ type: 'finished', choice, reason, stopSequence, seed })
  return written(usage, usage.reasoningTokens, timings)
}

/** A bound on reasoning is kept by a model that marks none. */
function heldBy({ info }: Pick<Engine, 'info'>, options: AskOptions): AskOptions {
  if (info.marksReasoning) return options
  const { thinkingBudget: _, ...rest } = options
  return rest
}

function progressTo(emit: Emit): (progress: { readonly tokens: number; readonly total: number }) => void {
  return ({ tokens, total }) => emit({ type: 'progress', tokens, total })
}

/** A chat that stops after its first call leaves its iteration: the engine calls that aborted. */
function reasonOf(reason: Completion['finishReason']): EndReason {
  return reason === 'aborted' ? 'stop' : reason
}

function written(
  { promptTokens, cachedTokens, completionTokens, draftTokens, acceptedTokens }: Completion['usage'],
  reasoning: number,
  { firstTokenMs, promptMs, generationMs, draftSpeedUp }: AnswerTimings,
): Written {
  return {
    counts: {
      ...{ prompt: promptTokens, cached: cachedTokens, completion: completionTokens, reasoning },
      ...{ drafted: draftTokens, accepted: acceptedTokens },
    },
    timings: { firstTokenMs, promptMs, generationMs, ...(draftSpeedUp !== undefined && { draftSpeedUp }) },
  }
}

function total(all: readonly Written[]): { readonly usage: TokenCounts; readonly timings: AnswerTimings } {
  const [first] = all as [Written]
  const sum = (of: (text: Written) => number) => all.reduce((n, text) => n + of(text), 0)
  return {
    usage: {
      prompt: first.counts.prompt,
      cached: first.counts.cached,
      completion: sum(({ counts }) => counts.completion),
      reasoning: sum(({ counts }) => counts.reasoning),
      drafted: sum(({ counts }) => counts.drafted),
      accepted: sum(({ counts }) => counts.accepted),
    },
    timings: {
      promptMs: first.timings.promptMs,
      firstTokenMs: first.timings.firstTokenMs,
      generationMs: Math.max(...all.map(({ timings }) => timings.generationMs)),
      ...(first.timings.draftSpeedUp !== undefined && { draftSpeedUp: first.timings.draftSpeedUp }),
    },
  }
}
