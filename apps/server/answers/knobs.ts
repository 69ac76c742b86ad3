/** Options of drawing under the names of OpenAI, vLLM and llama.cpp: one table, checked by the engine's own ranges. */
import {
  type Kind,
  NOT_WITH_MIROSTAT,
  type OptionRow,
  type OptionRows,
  PROMPT_OPTIONS,
  readArgument,
} from '../../../src/for-apps.ts'
import { type Failure, invalid } from '../failure.ts'
import type { AskOptions } from './ask.ts'

/** A name on the wire, and the option that it is. */
export interface Knob {
  /** Of the engine; with a dot: a part of it. */
  readonly option: string
  /** Default: the option's own. */
  readonly kind?: Kind
  /** What is read becomes the option; undefined: as if it were not given. Default: as it is. */
  readonly convert?: (value: unknown, name: string) => unknown
}

/** -1 means no bound, or the server's choice. */
const unlessNegative = (value: unknown) => (typeof value === 'number' && value < 0 ? undefined : value)
const zeroIfNegative = (value: unknown) => (typeof value === 'number' && value < 0 ? 0 : value)
const asList = (value: unknown) => (typeof value === 'string' ? [value] : value)
const unlessEmpty = (value: unknown) => (value === '' ? undefined : value)

/** In the order in which they count: of two names of one option the later one wins. */
const KNOBS: Readonly<Record<string, Knob>> = {
  temperature: { option: 'temperature' },
  top_p: { option: 'topP' },
  top_k: { option: 'topK', convert: zeroIfNegative },
  min_p: { option: 'minP' },
  typical_p: { option: 'typicalP' },
  top_n_sigma: { option: 'topNSigma', convert: zeroIfNegative },
  repeat_penalty: { option: 'repetitionPenalty' },
  repetition_penalty: { option: 'repetitionPenalty' },
  presence_penalty: { option: 'presencePenalty' },
  frequency_penalty: { option: 'frequencyPenalty' },
  xtc_probability: { option: 'xtc.probability' },
  xtc_threshold: { option: 'xtc.threshold' },
  dynatemp_range: { option: 'dynamicTemperature.range' },
  dynatemp_exponent: { option: 'dynamicTemperature.exponent' },
  dry_multiplier: { option: 'dry.multiplier' },
  dry_base: { option: 'dry.base' },
  dry_allowed_length: { option: 'dry.allowedLength' },
  dry_penalty_last_n: { option: 'dry.lastN', convert: unlessNegative },
  dry_sequence_breakers: { option: 'dry.sequenceBreakers' },
  mirostat_tau: { option: 'mirostat.tau' },
  mirostat_eta: { option: 'mirostat.eta' },
  temperature_last: { option: 'temperatureLast' },
  logit_bias: { option: 'logitBias', convert: biases },
  seed: { option: 'seed', convert: seedOf },
  n_predict: { option: 'maxTokens', convert: unlessNegative },
  max_tokens: { option: 'maxTokens', convert: unlessNegative },
  max_completion_tokens: { option: 'maxTokens', convert: unlessNegative },
  min_tokens: { option: 'minTokens' },
  stop: { option: 'stopSequences', convert: stops },
  stop_token_ids: { option: 'stopTokenIds' },
  bad_words: { option: 'bannedTexts', convert: asList },
  ignore_eos: { option: 'ignoreEos' },
  skip_special_tokens: { option: 'skipSpecialTokens' },
  add_special_tokens: { option: 'addSpecialTokens' },
  thinking_token_budget: { option: 'thinkingBudget', convert: unlessNegative },
  reasoning_budget: { option: 'thinkingBudget', convert: unlessNegative },
  thinking_budget_tokens: { option: 'thinkingBudget', convert: unlessNegative },
  // vLLM: the lower goes first.
  priority: { option: 'priority', convert: value => (typeof value === 'number' ? -value : value) },
  speculation: { option: 'speculation' },
  cache_prompt: { option: 'reuse' },
  // Forms of programs whose fields are empty by default ask for none.
  guided_regex: { option: 'regex', convert: unlessEmpty },
  guided_choice: { option: 'choices' },
  guided_grammar: { option: 'grammar', convert: unlessEmpty },
  guided_json: { option: 'schema', convert: schemaText },
  json_schema: { option: 'schema', convert: schemaText },
  grammar: { option: 'grammar', convert: unlessEmpty },
  // SGLang's names.
  regex: { option: 'regex', convert: unlessEmpty },
  ebnf: { option: 'grammar', convert: unlessEmpty },
}

/** vLLM's newer form. */
const STRUCTURED: Readonly<Record<string, Knob>> = {
  json: { option: 'schema', convert: schemaText },
  regex: { option: 'regex', convert: unlessEmpty },
  choice: { option: 'choices' },
  grammar: { option: 'grammar', convert: unlessEmpty },
  json_object: { option: 'json' },
}

/** Groups of options that are nothing without one of their parts. */
const NEEDED = { dry: 'multiplier', xtc: 'probability', dynamicTemperature: 'range' } as const

/** The options that a body's fields are; fields of other names are left alone, and null is absent. Throws Failure naming a field. */
export function readKnobs(body: Readonly<Record<string, unknown>>): AskOptions {
  const made: Record<string, unknown> = {}
  readInto(made, body, KNOBS, '')
  readStructured(made, body)
  for (const [group, part] of Object.entries(NEEDED)) {
    const given = made[group] as Record<string, unknown> | undefined
    if (given && !given[part]) delete made[group]
  }
  readMirostat(made, body.mirostat)
  readWindow(made, body.repeat_last_n)
  return made
}

/** A form that is asked for under a name that is none here would be an answer without it: such are refused. */
function readStructured(made: Record<string, unknown>, body: Readonly<Record<string, unknown>>): void {
  for (const name of ['structural_tag', 'guided_decoding']) {
    if (isGiven(body[name])) throw unknownForm(name)
  }
  const structured = body.structured_outputs
  if (!isGiven(structured)) return
  if (typeof structured !== 'object') throw unknownForm('structured_outputs')
  const given = structured as Readonly<Record<string, unknown>>
  const forms = Object.keys(given).filter(name => isGiven(given[name]) && given[name] !== '' && !ASIDE.test(name))
  const foreign = forms.find(name => !Object.hasOwn(STRUCTURED, name))
  if (foreign !== undefined) throw unknownForm(`structured_outputs.${foreign}`)
  if (forms.length === 0) throw unknownForm('structured_outputs')
  readInto(made, given, STRUCTURED, 'structured_outputs.')
}

/** How, and not to what, vLLM holds a text. */
const ASIDE = /^(?:_|disable_|whitespace_pattern$)/

const isGiven = (value: unknown) => value !== null && value !== undefined

function unknownForm(name: string): Failure {
  const forms = Object.keys(STRUCTURED).join(', ')
  return invalid(`${name} is no form that this server holds; expected structured_outputs with one of ${forms}`, name)
}

/** llama.cpp's penalties look at so many last tokens; here at all of them, or at none. */
function readWindow(made: Record<string, unknown>, window: unknown): void {
  if (window !== 0) return
  for (const name of ['repetitionPenalty', 'presencePenalty', 'frequencyPenalty']) delete made[name]
}

function readInto(
  made: Record<string, unknown>,
  body: Readonly<Record<string, unknown>>,
  knobs: Readonly<Record<string, Knob>>,
  before: string,
): void {
  for (const [name, { option, kind = kindOf(option), convert }] of Object.entries(knobs)) {
    const given = body[name]
    if (given === null || given === undefined) continue
    const converted = convert ? convert(given, before + name) : given
    if (converted === undefined) continue
    const value = checked(kind, before + name, converted)
    const [group = '', part] = option.split('.')
    if (part === undefined) made[group] = value
    else made[group] = { ...(made[group] as object), [part]: value }
  }
}

function checked(kind: Kind, name: string, value: unknown): unknown {
  try {
    return readArgument(kind, name, value)
  } catch (error) {
    throw invalid((error as Error).message, name)
  }
}

/** The engine's kind of an option. */
function kindOf(option: string): Kind {
  let rows: OptionRows = PROMPT_OPTIONS
  let found: OptionRow | undefined
  for (const part of option.split('.')) {
    found = rows[part]
    if (found?.kind.kind === 'options') rows = found.kind.of
  }
  if (!found) throw new Error(`the engine has no option ${option}`)
  return found.kind
}

function readMirostat(made: Record<string, unknown>, mirostat: unknown): void {
  if (mirostat === null || mirostat === undefined || mirostat === 0) {
    delete made.mirostat
    return
  }
  if (mirostat !== 2) throw invalid(`mirostat is ${JSON.stringify(mirostat)}; expected 0 (off) or 2`, 'mirostat')
  made.mirostat ??= {}
  // As llama.cpp does, without a word.
  for (const name of NOT_WITH_MIROSTAT) delete made[name]
}

/** Clients draw seeds of 64 bits, of which JSON's numbers keep the first 53: such are taken modulo 2^53. Negative: the server's choice. */
function seedOf(value: unknown): unknown {
  const isLarge = Number.isInteger(value) && (value as number) > Number.MAX_SAFE_INTEGER
  return isLarge ? Number(BigInt(value as number) % 2n ** 53n) : unlessNegative(value)
}

/** A text or a list of them; empty ones stop nothing. */
function stops(value: unknown): unknown {
  const list = asList(value)
  return Array.isArray(list) ? list.filter(text => text !== '') : list
}

/** An object by ids or texts, or llama.cpp's list of pairs, in which `false` forbids a token. */
function biases(value: unknown, name: string): unknown {
  if (!Array.isArray(value)) return value
  return Object.fromEntries(
    value.map((pair: unknown, i) => {
      if (!Array.isArray(pair) || pair.length !== 2) {
        throw invalid(`${name}[${i}] is ${JSON.stringify(pair)}; expected [token, bias]`, name)
      }
      return [pair[0], pair[1] === false ? Number.NEGATIVE_INFINITY : pair[1]]
    }),
  )
}

function schemaText(value: unknown, name: string): unknown {
  if (value === '') return undefined
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    throw invalid(`${name} is a text that is no JSON; expected a JSON schema`, name)
  }
}
