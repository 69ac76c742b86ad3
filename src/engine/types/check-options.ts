/** What the table of options cannot say by itself: how options fit each other, a model and a past; and what are no options. */
import { OptionError } from '../../errors.ts'
import { show } from '../../options/show.ts'
import type { OutputOptions } from './options/output.ts'
import type { PromptOptions } from './options/prompt.ts'
import type { SessionOptions } from './options/session.ts'

const NOT_WITH_BEAMS = [
  ...(['stopSequences', 'stopTokenIds', 'repetitionPenalty', 'presencePenalty', 'frequencyPenalty'] as const),
  ...([
    'logitBias',
    'logprobs',
    'dry',
    'topNSigma',
    'typicalP',
    'xtc',
    'dynamicTemperature',
    'temperatureLast',
  ] as const),
  ...(['mirostat', 'minTokens', 'bannedTexts', 'thinkingBudget', 'resume'] as const),
]

/** Of a rolling context, where nothing else is said: the attention sinks of arXiv 2309.17453. */
export const KEPT_TOKENS = 4

/** A session of an engine whose sessions hold at most `most` tokens. */
export function checkSessionOptions(options: SessionOptions, most: number): void {
  const { contextLength = most, rolling } = options
  if (contextLength > most) {
    throw new OptionError(`contextLength is ${contextLength}; the engine was loaded for at most ${most} tokens`)
  }
  if (!rolling) return
  const { keep = KEPT_TOKENS, drop = 1 } = rolling
  if (keep + drop < contextLength) return
  throw new OptionError(
    `rolling keeps ${keep} tokens and drops ${drop} of a context of ${contextLength}; at least one more must be left`,
  )
}

/** A range of a past of `length` tokens. */
export function checkRange(from: number, to: number, length: number): void {
  if (from <= to && to <= length) return
  throw new OptionError(`tokens ${from} to ${to} of ${length} cannot be dropped: expected from <= to <= ${length}`)
}

/** The options of which a prompt has at most one. */
const OUTPUTS = ['schema', 'json', 'regex', 'choices', 'grammar'] as const

/** The options but for those. */
export function withoutOutput<T extends OutputOptions>(options: T): Omit<T, keyof OutputOptions> {
  const { schema, json, regex, choices, grammar, ...others } = options
  return others
}

/** The option that the text is held to; null: none. Throws OptionError. */
export function outputOption(options: PromptOptions): (typeof OUTPUTS)[number] | null {
  // false is a schema, which no value satisfies.
  const given = OUTPUTS.filter(name => options[name] !== undefined && (name === 'schema' || options[name] !== false))
  const [one, other] = given
  if (one === undefined) return null
  if (other) throw new OptionError(`${given.join(' and ')} were given; a text is held to one of them`)
  if (options.ignoreEos)
    throw new OptionError(`ignoreEos and ${one} were given; a text under ${one} begins and ends where its grammar does`)
  if (options.choices?.length === 0) throw new OptionError('choices is an empty list; expected at least one text')
  return one
}

export function checkPromptOptions(options: PromptOptions): void {
  const { minTokens = 0, maxTokens = minTokens, bannedTexts = [] } = options
  if (minTokens > maxTokens) {
    throw new OptionError(`minTokens is ${minTokens} and maxTokens ${maxTokens}; expected at most maxTokens`)
  }
  // What is no UTF-8 is shown as U+FFFD, so bytes cannot tell it apart.
  const foreign = bannedTexts.findIndex(text => /[\p{Cs}\uFFFD]/u.test(text))
  if (foreign >= 0) {
    throw new OptionError(
      `bannedTexts[${foreign}] is ${show(bannedTexts[foreign])}; expected whole characters, not U+FFFD`,
    )
  }
  if (options.resume && options.resume.tokenIds === undefined) {
    throw new OptionError('resume has no tokenIds; expected the ids that the answer has so far')
  }
  const resumed = options.resume?.tokenIds.length ?? 0
  if (options.maxTokens !== undefined && resumed > options.maxTokens) {
    throw new OptionError(
      `resume.tokenIds has ${resumed} ids and maxTokens is ${maxTokens}; expected at most maxTokens, which counts the whole answer`,
    )
  }
  if (!options.beams) return
  if (options.useCache === false) {
    throw new OptionError('useCache is false and beams were given; texts of a search stand on cached rows')
  }
  const other = NOT_WITH_BEAMS.find(name => options[name] !== undefined)
  if (!other) return
  throw new OptionError(`${other} and beams were given; a beam search takes the model's probabilities as they are`)
}
