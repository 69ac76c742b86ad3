import { typesOf } from '../tool-schema.ts'
import { isBlank, JsonValue, readAll } from './json-value.ts'

/** First characters of JSON that is no text: a text with another one streams at once. */
const JSON_BEGINS = /[{["\-0-9tfnTFN]/

/**
 * The value of one argument that stands between tags: a text as it is, or JSON, by the argument's schema. `kind` is what the
 * tag itself says; null: the schema decides. Without either, what reads as JSON is JSON.
 */
export class PairValue {
  readonly #write: (text: string) => void
  readonly #types: ReadonlySet<string> | null
  readonly #isJson: boolean
  /** Where the tag says JSON and the value is none: whether a text will do. */
  readonly #takesText: boolean
  readonly #lines: boolean
  #mode: 'undecided' | 'text' | 'json' | 'whole'
  /** Kept until it is certain what it is: blanks in front, a whole value, or the last line break. */
  #kept = ''
  #half = ''
  #first = true
  #value: JsonValue | null = null
  #good = true

  constructor(
    schema: Readonly<Record<string, unknown>> | null,
    kind: 'text' | 'json' | null,
    lines: boolean,
    write: (text: string) => void,
  ) {
    this.#write = write
    const types = schema === null ? null : typesOf(schema)
    this.#types = kind === 'json' ? null : types
    this.#isJson = kind === 'json'
    this.#takesText = types?.has('string') ?? true
    this.#lines = lines
    const isText = kind === 'text' || (kind === null && this.#types?.size === 1 && this.#types.has('string'))
    this.#mode = isText ? 'text' : 'undecided'
    if (isText) this.#write('"')
  }

  push(c: string): void {
    if (this.#first && this.#lines && c === '\n') this.#first = false
    else {
      this.#first = false
      this.#take(c)
    }
  }

  /** False: the value is not what it should be, but valid JSON all the same. */
  end(complete: boolean): boolean {
    switch (this.#mode) {
      case 'text':
        if (this.#kept === '\n' && !complete) this.#write('\\n')
        this.#write('"')
        return true
      case 'json': {
        const ended = this.#value?.end() ?? false
        this.#value?.close()
        return ended && this.#good
      }
      default:
        return this.#whole(complete)
    }
  }

  #take(c: string): void {
    if (this.#mode === 'undecided') this.#decide(c)
    switch (this.#mode) {
      case 'text':
        this.#character(c)
        break
      case 'json':
        // What follows the value is not its own.
        if (this.#good && this.#value?.push(c) === 'bad' && !isBlank(c)) this.#good = false
        break
      default:
        this.#kept += c
    }
  }

  #decide(c: string): void {
    if (isBlank(c)) return
    const types = this.#types
    const mayBeText = !this.#isJson && (types === null || types.has('string'))
    if ((c === '{' || c === '[') && !mayBeText) {
      this.#mode = 'json'
      this.#kept = ''
      this.#value = new JsonValue(this.#write)
    } else if (!mayBeText || JSON_BEGINS.test(c)) this.#mode = 'whole'
    else this.#toText()
  }

  #toText(): void {
    const kept = this.#kept
    this.#kept = ''
    this.#mode = 'text'
    this.#write('"')
    for (let i = 0; i < kept.length; i++) this.#character(kept[i] as string)
  }

  #character(c: string): void {
    if (this.#kept !== '') this.#write('\\n')
    this.#kept = ''
    if (this.#lines && c === '\n') this.#kept = c
    else this.#escaped(c)
  }

  /** Pairs of surrogates stay together; a half alone is no character. */
  #escaped(c: string): void {
    const code = c.charCodeAt(0)
    const half = this.#half
    this.#half = ''
    if (code >= 0xd800 && code < 0xdc00) this.#half = c
    else if (code >= 0xdc00 && code < 0xe000) {
      if (half !== '') this.#write(half + c)
    } else this.#write(JSON.stringify(c).slice(1, -1))
  }

  #whole(complete: boolean): boolean {
    const text = this.#lines && complete && this.#kept.endsWith('\n') ? this.#kept.slice(0, -1) : this.#kept
    const types = this.#types
    let written = ''
    const value = new JsonValue(more => {
      written += more
    })
    const isJson = readAll(value, text.trim())
    const type = isJson ? typeName(JSON.parse(written)) : 'string'
    const fits =
      types === null
        ? this.#isJson || type !== 'string'
        : types.has(type) || (type === 'integer' && types.has('number'))
    this.#write(isJson && fits ? written : JSON.stringify(wellFormed(text)))
    if (this.#isJson) return isJson || this.#takesText
    return types === null || (isJson ? fits || types.has('string') : types.has('string'))
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

/** Without halves of characters. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '')
}
