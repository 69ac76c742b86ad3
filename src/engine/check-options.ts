/** Options as callers of plain JavaScript may give them: wrong ones are refused by name before anything is done. */
import { CACHE_TYPE_NAMES } from '../cache/types.ts'
import { OptionError } from '../errors.ts'
import { ENCODABLE_TYPES } from '../kernels/blocks/numbers.ts'
import type { BeamOptions, RestoreOptions, SessionOptions } from './options.ts'
import type { HostLoadOptions, HostPromptOptions } from './protocol.ts'

const KERNELS = ['auto', 'native', 'wasm', 'reference']
const SPECULATION = ['off', 'ngram', 'draft']
const NOT_WITH_BEAMS = [
  ...(['stopSequences', 'repetitionPenalty', 'presencePenalty', 'frequencyPenalty'] as const),
  ...(['logitBias', 'logprobs'] as const),
]
const PATHS = ['expanded', 'absorbed']

export function checkLoadOptions(o: HostLoadOptions): void {
  oneOf('kernels', o.kernels, KERNELS)
  oneOf('cacheType', o.cacheType, CACHE_TYPE_NAMES)
  oneOf('weights', o.weights, ENCODABLE_TYPES)
  whole('threads', o.threads, 1)
  whole('contextLength', o.contextLength, 1)
  whole('cacheBytes', o.cacheBytes, 1)
  whole('keptBytes', o.keptBytes, 0)
  whole('cacheDirBytes', o.cacheDirBytes, 1)
  whole('chunkSize', o.chunkSize, 1)
}

export function checkSessionOptions(o: SessionOptions, most: number): void {
  const { contextLength = most, rolling } = o
  whole('contextLength', contextLength, 1)
  if (contextLength > most) {
    throw new OptionError(`contextLength is ${contextLength}; the engine was loaded for at most ${most} tokens`)
  }
  if (!rolling) return
  const { keep = KEPT_TOKENS, drop = 1 } = rolling
  whole('rolling.keep', keep, 0)
  whole('rolling.drop', drop, 1)
  if (keep + drop < contextLength) return
  throw new OptionError(
    `rolling keeps ${keep} tokens and drops ${drop} of a context of ${contextLength}; at least one more must be left`,
  )
}

export function checkRestoreOptions(o: RestoreOptions): void {
  whole('contextLength', o.contextLength, 1)
}

/** Of a rolling context, where nothing else is said: the attention sinks of arXiv 2309.17453. */
export const KEPT_TOKENS = 4

/** A range of a past of `length` tokens. */
export function checkRange(from: number, to: number, length: number): void {
  whole('from', from, 0)
  whole('to', to, 0)
  if (from <= to && to <= length) return
  throw new OptionError(`tokens ${from} to ${to} of ${length} cannot be dropped: expected from <= to <= ${length}`)
}

export function checkPromptOptions(o: HostPromptOptions): void {
  whole('maxTokens', o.maxTokens, 0)
  whole('logprobs', o.logprobs, 0)
  whole('priority', o.priority, Number.MIN_SAFE_INTEGER)
  oneOf('attentionPath', o.attentionPath, PATHS)
  oneOf('speculation', o.speculation, SPECULATION)
  if (o.beams) checkBeams(o.beams, o)
}

function checkBeams({ width, lengthPenalty = 1 }: BeamOptions, o: HostPromptOptions): void {
  whole('beams.width', width, 1)
  if (!Number.isFinite(lengthPenalty)) {
    throw new OptionError(`beams.lengthPenalty is ${show(lengthPenalty)}; expected a number`)
  }
  const other = NOT_WITH_BEAMS.find(name => o[name] !== undefined)
  if (other)
    throw new OptionError(`${other} and beams were given; a beam search takes the model's probabilities as they are`)
}

function whole(name: string, value: unknown, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= least)) return
  const bound = least === Number.MIN_SAFE_INTEGER ? '' : `, ${least} or more`
  throw new OptionError(`${name} is ${show(value)}; expected a whole number${bound}`)
}

function oneOf(name: string, value: unknown, known: readonly string[]): void {
  if (value === undefined || known.includes(value as string)) return
  throw new OptionError(`${name} is ${show(value)}; expected ${known.join(', ')}`)
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
