import { OptionError } from '../errors.ts'
import { show } from '../options/show.ts'
import { type AnswerCheck, readJson } from './check.ts'
import { OutputError } from './errors.ts'
import { isGbnf, larkOfGbnf } from './gbnf.ts'
import type { GrammarSource } from './matcher.ts'
import { readRegex } from './read-regex.ts'
import { areReadAtOnce, explaining, JSON_OPTIONS, readSchema, type SchemaReader } from './schema/grammar.ts'
import type { JsonSchema } from './schema/json-schema.ts'
import { literalPattern } from './schema/pattern.ts'
import { isStandardSchema, jsonSchemaOf, type StandardSchemaV1, standardOutput } from './standard-schema.ts'

/**
 * What an answer has to be; exactly one of:
 *
 * - `schema`: JSON by a JSON schema, or by a Standard Schema (zod, valibot …). What cannot be held is refused;
 * - `json`: any JSON object;
 * - `regex`: a text that the expression matches from its start to its end (`readRegex` says which flags it may have);
 * - `choices`: one of these texts;
 * - `grammar`: a text of a grammar in llguidance's form of Lark, or in llama.cpp's (GBNF).
 */
export interface OutputFormat {
  readonly schema?: JsonSchema | StandardSchemaV1
  readonly json?: true
  readonly regex?: string | RegExp
  readonly choices?: readonly string[]
  readonly grammar?: string
}

/** The type of the value that an answer of a format has. */
export type OutputOf<F extends OutputFormat> = F extends { readonly schema: infer S }
  ? S extends StandardSchemaV1
    ? StandardSchemaV1.InferOutput<S>
    : unknown
  : F extends { readonly choices: readonly (infer C)[] }
    ? C
    : F extends { readonly json: true }
      ? { [key: string]: unknown }
      : string

/** A format, made ready for a prompt. */
export interface PreparedOutput<T = unknown> {
  /** Plain data: what the engine's thread compiles. */
  readonly source: GrammarSource
  /** Whether answers are JSON: then `PartialJson` reads them while they come. */
  readonly json: boolean
  /** Whether `finish` finds out if a text that was cut is whole. */
  readonly shows: boolean
  /** The error that a failed compilation means to the caller. */
  explain(reason: string): Error
  /** The value of a finished answer. Throws OutputError if it is not what was asked for. */
  finish(text: string): Promise<T>
}

const NAMES = ['schema', 'json', 'regex', 'choices', 'grammar'] as const
const MAX_CHOICES = 20_000
const MAX_TEXT = 1_000_000

/**
 * Makes a format ready. `check` is asked about finished answers, `read` about schemas that may take long: they belong into another thread (`CheckThread`).
 * Default: in this one. Throws SchemaError naming path and keyword of what cannot be held, OptionError for a bad one.
 */
export async function prepareOutput<const F extends OutputFormat>(
  format: F,
  check: AnswerCheck = checkHere,
  read: SchemaReader = readHere,
): Promise<PreparedOutput<OutputOf<F>>> {
  const given = NAMES.filter(name => format[name] !== undefined)
  if (given.length !== 1) {
    const met = given.length === 0 ? 'nothing' : given.join(' and ')
    throw new OptionError(`The format of the answer has ${met}; expected one of ${NAMES.join(', ')}`)
  }
  return (await prepared(format, check, read)) as PreparedOutput<OutputOf<F>>
}

const checkHere: AnswerCheck = async (demand, text) =>
  new (await import('./thread/checker.ts')).Checker().check(demand, text)

const readHere: SchemaReader = async schema => readSchema(JSON.parse(schema), true)

async function prepared(
  { schema, json, regex, choices, grammar }: OutputFormat,
  check: AnswerCheck,
  read: SchemaReader,
): Promise<PreparedOutput> {
  if (schema !== undefined) return await forSchema(schema, check, read)
  if (json !== undefined) return forJson(json)
  if (regex !== undefined) return forRegex(regex, check)
  if (choices !== undefined) return forChoices(choices)
  if (typeof grammar !== 'string' || grammar.length > MAX_TEXT) {
    throw new OptionError(`grammar is ${show(grammar)}; expected a text of at most ${MAX_TEXT} characters`)
  }
  return plain({ kind: 'lark', text: isGbnf(grammar) ? larkOfGbnf(grammar) : grammar }, 'grammar', () => true)
}

async function forSchema(
  schema: JsonSchema | StandardSchemaV1,
  check: AnswerCheck,
  read: SchemaReader,
): Promise<PreparedOutput> {
  const standard = isStandardSchema(schema) ? schema : undefined
  const known = standard ? await jsonSchemaOf(standard) : schema
  const json = jsonOf(known)
  const { source, explain } = explaining(areReadAtOnce([json]) ? readSchema(known, true) : await read(json))
  let demand: { readonly schema: string } | undefined
  return {
    source,
    explain,
    json: true,
    shows: true,
    async finish(text) {
      const value = readJson(text)
      demand ??= { schema: json }
      const problem = await check(demand, text)
      if (problem !== null) throw new OutputError(problem, { text })
      return standard ? await standardOutput(standard, value, text) : value
    },
  }
}

/** '': it has none, and cannot be held either. */
function jsonOf(schema: unknown): string {
  try {
    return JSON.stringify(schema) ?? ''
  } catch {
    return ''
  }
}

function forJson(json: unknown): PreparedOutput {
  if (json !== true) throw new OptionError(`json is ${show(json)}; expected true`)
  const text = JSON.stringify({ type: 'object', 'x-guidance': JSON_OPTIONS })
  return {
    source: { kind: 'json', text },
    explain: reason => new OptionError(`json cannot be held: ${reason}`),
    json: true,
    shows: true,
    finish: async text => readJson(text),
  }
}

function forRegex(regex: string | RegExp, check: AnswerCheck): PreparedOutput {
  const { source, flags, rust: text } = readRegex(regex)
  // A text that was cut can keep an expression busy for ever.
  const finish = async (answer: string) => {
    const problem = await check({ regex: source, flags }, answer)
    if (problem === null) return answer
    throw new OutputError(problem, { text: answer })
  }
  return { ...plain({ kind: 'regex', text }, 'regex', () => true), finish }
}

function forChoices(choices: readonly string[]): PreparedOutput {
  const fits = Array.isArray(choices) && choices.every(choice => typeof choice === 'string' && choice !== '')
  if (!fits || choices.length === 0 || choices.length > MAX_CHOICES) {
    throw new OptionError(
      `choices is ${show(choices)}; expected a list of 1 to ${MAX_CHOICES} texts that are not empty`,
    )
  }
  if (choices.some(choice => /\p{Surrogate}/u.test(choice))) throw new OptionError('choices has half a surrogate pair')
  const known = new Set(choices)
  // One expression: as rules of a grammar, 2,000 at once are the most that the library takes.
  const text = [...known].map(literalPattern).join('|')
  return plain({ kind: 'regex', text }, 'choices', answer => known.has(answer))
}

/** A format whose value is the text. */
function plain(source: GrammarSource, name: string, holds: (text: string) => boolean): PreparedOutput {
  return {
    source,
    json: false,
    shows: name !== 'grammar',
    explain: reason => new OptionError(`${name} cannot be held: ${oneLine(reason).slice(0, 400)}`),
    async finish(text) {
      if (holds(text)) return text
      const begin = show(text)
      throw new OutputError(`The answer is not what ${name} demands; it may have been cut. It is ${begin}`, { text })
    },
  }
}

/** Errors show line breaks as \u000a. */
const oneLine = (reason: string): string => reason.replace(/(?:\s|\\u000a)+/g, ' ').trim()
