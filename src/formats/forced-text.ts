/** What a constrained decoder is to force, as plain data: it knows nothing of families. */
import { OptionError } from '../errors.ts'
import { nearest } from '../options/nearest.ts'
import type { ToolChoice, ToolDescription } from './messages.ts'
import type { PromptEnd } from './read/reply-reader.ts'
import type { ChatFormat } from './table/format.ts'
import { withKey, withName } from './table/with-name.ts'
import { parameterSchemas, takesTextOnly, textSchema, unheldKeyword } from './tool-schema.ts'

type Schema = Readonly<Record<string, unknown>>

/** A known text, or the call's number: `first` for the first call, then one more each. */
export type ForcedPiece = string | { readonly counts: true }

/**
 * An answer is: [reasoning] [free text] calls, where
 *
 * - reasoning is free text that ends with `reasoning.end`; it has begun already where the prompt ends inside a block, else
 *   the answer may begin with `reasoning.begin` (blanks before it allowed);
 * - without `free`, the calls follow at once (blanks allowed before them); with `free`, text follows that ends at the first
 *   of `triggers`, after which the text must be a call that begins so, or at the end of the answer;
 * - calls are `open`, then `min` to `max` calls with `between` between them, then `close`, then the end of the answer.
 *
 * After a trigger follows what `open` and a call's `begin`, without blanks in front, have after that trigger.
 */
export interface ForcedText {
  /** Marks of free reasoning before the answer. */
  readonly reasoning: { readonly begin: string; readonly end: string }
  /** Whether text may come before the first call, or instead of one. */
  readonly free: boolean
  /** Texts in free text after which only a call may follow: one for all calls, or one for each in their order. */
  readonly triggers: readonly string[]
  /** Null: a trigger counts wherever it comes; else only as the beginning of an answer, after blanks and these texts. */
  readonly leads: readonly string[] | null
  readonly open: string
  readonly between: string
  readonly close: string
  readonly min: number
  /** Null: any number. */
  readonly max: number | null
  /** The calls that may be made, one of them each time. */
  readonly calls: readonly ForcedCall[]
  /** Number of the first call, where calls are numbered. */
  readonly first: number
}

/** One call: `begin`, the arguments, `end`. */
export interface ForcedCall {
  /** Of the tool. */
  readonly name: string
  readonly begin: readonly ForcedPiece[]
  readonly arguments: ForcedArguments
  readonly end: string
}

/**
 * One JSON object by a schema, or parts in the order of the schema's properties, those not required left out at will. `unheld`: a keyword of
 * the schema that the parts do not hold, and what of it; null: there is none.
 * `quote`: what stands around texts inside JSON, whose keys are bare then; null: it is JSON.
 */
export type ForcedArguments =
  | { readonly kind: 'json'; readonly schema: Schema }
  | {
      readonly kind: 'parts'
      readonly between: string
      readonly parts: readonly ForcedPart[]
      readonly unheld: { readonly keyword: string; readonly what: string } | null
      readonly quote: string | null
    }

/**
 * One argument. `text`: the characters of a string as they are, which may not contain `end` without the blanks around it;
 * the schema says it without references (`textSchema`). `json`: JSON by the schema.
 */
export interface ForcedPart {
  readonly name: string
  readonly required: boolean
  readonly begin: string
  readonly end: string
  readonly value: { readonly kind: 'text' | 'json'; readonly schema: Schema }
}

/** Options of `forcedText`. */
export interface ForcedTextOptions {
  readonly choice: ToolChoice
  /** Several calls in one answer. Default true. */
  readonly parallel?: boolean
  /** Calls in the conversation before this answer. Default 0. */
  readonly callsBefore?: number
}

/**
 * Null: nothing is to be forced (no tools, or none may be called). Throws OptionError for a named tool that does not exist.
 */
export function forcedText(
  format: ChatFormat,
  tools: readonly ToolDescription[],
  { choice, parallel = true, callsBefore: first = 0 }: ForcedTextOptions,
): ForcedText | null {
  const chosen = typeof choice === 'object' ? [named(tools, choice.name)] : tools
  if (chosen.length === 0 || choice === 'none') return null
  const { text } = format.calls
  const free = choice === 'auto'
  const mark = triggerOf(format)
  return {
    reasoning: reasoningOf(format),
    free,
    triggers: free ? (mark === null ? chosen.map(tool => bareBegin(format, tool)) : [mark]) : [],
    leads: mark === null ? (format.calls.section?.begin ?? []) : null,
    open: text.open,
    between: text.between,
    close: text.close,
    min: free ? 0 : 1,
    max: parallel ? null : 1,
    calls: chosen.map(tool => forcedCall(format, tool)),
    first,
  }
}

/** The answer without calls, of a format that begins its text with a mark of its own, behind reasoning that stays free. */
export function forcedAnswer(format: ChatFormat): ForcedText {
  const none = { triggers: [], leads: null, open: '', between: '', close: '', calls: [] }
  return { ...none, reasoning: reasoningOf(format), free: false, min: 0, max: 0, first: 0 }
}

/** Of several messages, up to the beginning of the next one. */
function reasoningOf({ reasoning, channels }: ChatFormat): ForcedText['reasoning'] {
  return { begin: reasoning.begin, end: `${reasoning.end}${channels?.next ?? ''}` }
}

/** How an answer begins that is held from its start: its reasoning, what stands before calls, and before the answer's own text. */
interface ForcedBegin extends Pick<ForcedText, 'reasoning'> {
  readonly begin: string
  readonly lead: string
}

const FREE: ForcedBegin = { reasoning: { begin: '', end: '' }, begin: '', lead: '' }

/**
 * `end`: that of the prompt; null: the answer is free until a call begins. A mask leaves reasoning free; messages in channels all begin alike,
 * so that theirs is held too, unless the prompt has begun it.
 */
export function forcedBegin(format: ChatFormat, end: PromptEnd | null): ForcedBegin {
  const { channels } = format
  if (!channels || end === null) return FREE
  const { next, answer } = channels
  if (end === 'none') return { reasoning: reasoningOf(format), begin: '', lead: answer }
  if (end === 'open') return { ...FREE, begin: next, lead: `${next}${answer}` }
  return { ...FREE, begin: `${format.reasoning.end}${next}` }
}

/** What no answer but a call begins with, in formats of JSON without marks. */
const CALLS_KEY = '{"tool_calls"'

function triggerOf({ calls, channels }: ChatFormat): string | null {
  if (calls.text.open.startsWith(CALLS_KEY)) return CALLS_KEY
  const first = `${calls.text.open}${calls.text.begin}`.trimStart()
  // All messages begin alike: it is the recipient that makes one a call.
  if (channels) return first.slice(0, first.indexOf('NAME'))
  return [...(calls.section?.begin ?? []), calls.begin].find(mark => mark !== '' && first.startsWith(mark)) ?? null
}

/** What a call of the tool begins with, up to its name, where no mark announces it. */
function bareBegin({ calls }: ChatFormat, { name }: ToolDescription): string {
  const { begin } = calls.text
  const named = '"NAME"'
  const at = begin.indexOf(named)
  return withName(at < 0 ? begin : begin.slice(0, at + named.length), name)
}

function forcedCall(format: ChatFormat, tool: ToolDescription): ForcedCall {
  const { begin, end } = format.calls.text
  const pieces = begin.split('IDX').map(piece => withName(piece, tool.name))
  return {
    name: tool.name,
    begin: pieces.flatMap((piece, i) => (i === 0 ? [piece] : [{ counts: true }, piece])),
    arguments: forcedArguments(format, tool),
    end,
  }
}

function forcedArguments(format: ChatFormat, tool: ToolDescription): ForcedArguments {
  const { argument } = format.calls.text
  if (argument === undefined) return { kind: 'json', schema: ofObjects(tool.parameters ?? NO_PARAMETERS) }
  const python = format.calls.body.kind === 'python'
  const parts = parameterSchemas(tool).map(({ name, required, schema }): ForcedPart => {
    const kind = !python && takesTextOnly(schema) ? 'text' : 'json'
    const { begin, end } = argument[kind]
    const value = { kind, schema: kind === 'text' ? textSchema(schema) : schema } as const
    return { name, required, begin: withKey(begin, name, format.calls.body.kind), end, value }
  })
  const { body } = format.calls
  const quote = body.kind === 'quoted' ? body.quote : null
  return { kind: 'parts', between: argument.between, parts, unheld: unheldOf(format, tool, parts), quote }
}

function unheldOf(format: ChatFormat, tool: ToolDescription, parts: readonly ForcedPart[]) {
  const unwritable = parts.find(({ name }) => !writesKey(format, name))
  if (unwritable) {
    const name = JSON.stringify(unwritable.name)
    const what = `has ${name}, which calls of ${format.name} cannot have as the name of an argument; use letters, digits and _`
    return { keyword: 'properties', what }
  }
  const keyword = unheldKeyword(tool)
  const what = 'cannot be held where arguments are written one by one; use properties and required'
  return keyword === null ? null : { keyword, what }
}

/** Whether an argument of this name is read as it is written. */
export function writesKey({ calls }: ChatFormat, name: string): boolean {
  return KEYS[calls.body.kind].test(name)
}

/** Arguments are an object, also where their schema does not say so. */
function ofObjects(schema: Schema): Schema {
  const saysElsewhere = ['$ref', 'allOf', 'anyOf', 'oneOf'].some(key => schema[key] !== undefined)
  return typeof schema.type === 'string' || saysElsewhere ? schema : { ...schema, type: 'object' }
}

/** Names of arguments that are read as they are written. */
const KEYS: Readonly<Record<ChatFormat['calls']['body']['kind'], RegExp>> = {
  object: /(?:)/,
  separated: /(?:)/,
  pairs: /^[^<>\n]+$/,
  python: /^[\p{L}_][\p{L}\p{N}_-]*$/u,
  quoted: /^[^\s,:{}[\]"][^,:{}[\]"\n]*$/,
}

const NO_PARAMETERS: Schema = { type: 'object', properties: {}, additionalProperties: false }

function named(tools: readonly ToolDescription[], name: string): ToolDescription {
  const found = tools.find(tool => tool.name === name)
  if (found) return found
  const names = tools.map(tool => tool.name)
  const near = nearest(name, names)
  throw new OptionError(
    `toolChoice names the tool "${name}", which is not among the tools (${names.join(', ') || 'none'})` +
      (near === undefined ? '' : `; did you mean "${near}"?`),
  )
}
