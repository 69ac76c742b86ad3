import { CheckpointError, type ConfigError } from '../errors.ts'
import type { ByteSource } from '../tensor/bytes.ts'
import { describeContent } from './source/file-kind.ts'

/** Deeper than any model's file. Protects recursive code that reads the result from running out of stack. */
const MAX_DEPTH = 100

export type JsonObject = Readonly<Record<string, unknown>>

/** The class of errors to throw: ConfigError for config.json, CheckpointError for other files. */
type ErrorClass = typeof CheckpointError | typeof ConfigError

/** Reads a text file of at most `limit` bytes. */
export async function readText(source: ByteSource, limit: number, Failure: ErrorClass): Promise<string> {
  const where = source.path ?? source.name
  if (source.size > limit) throw new Failure(`${where} has ${source.size} bytes; expected at most ${limit}`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await source.read(0, source.size))
  } catch (error) {
    if (error instanceof CheckpointError) throw error
    throw new Failure(`${where} is not UTF-8 text`, { cause: error })
  }
}

/**
 * Reads a JSON file that holds an object. NaN, Infinity and -Infinity are not JSON, but Python writes them: they become
 * those numbers, and the reader of a field has to refuse them.
 */
export async function readJson(
  source: ByteSource,
  limit: number,
  Failure: ErrorClass = CheckpointError,
): Promise<JsonObject> {
  const where = source.path ?? source.name
  const value = await readValue(source, limit, Failure)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw new Failure(`${where} holds ${kindOf(value)}; expected a JSON object`)
}

/** The same for a list of objects. */
export async function readJsonList(source: ByteSource, limit: number): Promise<readonly JsonObject[]> {
  const value = await readValue(source, limit, CheckpointError)
  const isObject = (entry: unknown) => typeof entry === 'object' && entry !== null && !Array.isArray(entry)
  if (Array.isArray(value) && value.every(isObject)) return value as JsonObject[]
  const met = Array.isArray(value) ? 'a list of other things' : kindOf(value)
  throw new CheckpointError(`${source.path ?? source.name} holds ${met}; expected a list of JSON objects`)
}

async function readValue(source: ByteSource, limit: number, Failure: ErrorClass): Promise<unknown> {
  const where = source.path ?? source.name
  try {
    const text = await readText(source, limit, Failure)
    checkDepth(text, where, Failure)
    return parse(text, where, Failure)
  } catch (error) {
    const other = await describeContent(source)
    throw other === undefined || source.size > limit ? error : new Failure(`${where} ${other}`, { cause: error })
  }
}

function kindOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  return value === null ? 'null' : `a ${typeof value}`
}

function parse(text: string, where: string, Failure: ErrorClass): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const replaced = withoutPythonNumbers(text)
    if (replaced !== text) {
      try {
        return JSON.parse(replaced, (_, value: unknown) => (value === NOT_A_NUMBER ? Number.NaN : value))
      } catch {
        // Report the first error: it refers to the original text.
      }
    }
    // JavaScript's message quotes the text; keep it on one line.
    const detail = (error as Error).message.replace(/[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    throw new Failure(`${where} is not JSON: ${detail}`, { cause: error })
  }
}

/** Stands for NaN while parsing: a text that no file would contain. */
const NOT_A_NUMBER = '\u0000NaN'

/** Replaces Infinity by 1e999, which parses as Infinity, and NaN by a placeholder string. Leaves strings unchanged. */
function withoutPythonNumbers(text: string): string {
  let replaced = ''
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const first = text[i]
    if (first === '"') i = endOfString(text, i)
    if (first !== 'N' && first !== 'I') continue
    const word = first === 'N' ? 'NaN' : 'Infinity'
    const behind = i + word.length
    if (!text.startsWith(word, i) || /\w/.test(text[i - 1] ?? '') || /\w|:/.test(nextIn(text, behind))) continue
    replaced += text.slice(from, i) + (first === 'N' ? JSON.stringify(NOT_A_NUMBER) : '1e999')
    from = behind
    i = behind - 1
  }
  return replaced + text.slice(from)
}

/** The next character that is not white space. */
function nextIn(text: string, at: number): string {
  let i = at
  while (i < text.length && /\s/.test(text[i] as string)) i++
  return text[i] ?? ''
}

function checkDepth(text: string, where: string, Failure: ErrorClass): void {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x22) i = endOfString(text, i)
    else if (c === 0x5b || c === 0x7b) depth++
    else if (c === 0x5d || c === 0x7d) depth--
    if (depth > MAX_DEPTH) throw new Failure(`${where} nests more than ${MAX_DEPTH} levels at character ${i}`)
  }
}

/** The index of the closing quote, or the text's length. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x22) return i
    if (c === 0x5c) i++
  }
  return text.length
}
