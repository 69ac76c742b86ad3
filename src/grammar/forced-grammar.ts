import type { ForcedText } from '../formats/index.ts'
import { SchemaError } from './errors.ts'
import { isJson, jsonCallsOr } from './json-calls.ts'
import type { DistinctParts, GrammarSource } from './matcher.ts'
import { isQuotable, quotedValue } from './quoted-values.ts'
import { readSchema } from './schema/grammar.ts'
import { refusal } from './schema/use.ts'
import { expression, holdTexts, lengths } from './text-terms.ts'
import { bytesOf } from './token-texts.ts'
import type { HeldReader } from './tool-schemas.ts'

type ForcedCall = ForcedText['calls'][number]
type ForcedPiece = ForcedCall['begin'][number]
type ForcedPart = Extract<ForcedCall['arguments'], { kind: 'parts' }>['parts'][number]

export interface ForcedGrammarOptions {
  /** A text cut at the control tokens that it spells: `tokenizer.splitAtSpecial`. */
  readonly split: (text: string) => readonly (string | number)[]
  /** Whether the prompt ends inside a block of reasoning. Default false. */
  readonly reasoning?: boolean
  /** In place of calls, an answer of this grammar. Default: none. */
  readonly otherwise?: GrammarSource
  /** What stands in front of `otherwise`. Default: nothing. */
  readonly lead?: string
  /** The text has a trigger: it begins with what was written before, and goes on with calls. Default false. */
  readonly triggered?: boolean
  /** What reads the schemas of arguments. Default: they are read here. */
  readonly read?: HeldReader
}

/** Blanks before calls, and in free text any character. */
const BLANKS = '/[ \\t\\r\\n]{1,8}/'
/** Characters that are counted while a mark is looked for. */
const MAX_COUNTED = 1000
/** Most calls of an answer in which they are numbered. */
const MAX_NUMBERED = 64
const ANY = '/(?s:.*)/'

/**
 * The grammar of an answer with calls of tools (`ForcedText` says of what it consists), in llguidance's form of Lark. Marks
 * that are control tokens of the vocabulary are forced as these tokens. Throws SchemaError for parameters that cannot be
 * held; its path begins with the tool's name.
 */
export function forcedGrammar(forced: ForcedText, options: ForcedGrammarOptions): GrammarSource {
  const writer = new Writer(options)
  const text = writer.write(forced, options)
  const ends = !forced.free || options.triggered === true
  const distinct = [...writer.distinct.values()]
  const hasDistinct = distinct.some(({ schema }) => schema.includes(DISTINCT))
  const apart = [...writer.apart.values()]
  const hasApart = apart.some(({ parts }) => parts.some(({ schema }) => schema?.includes(DISTINCT)))
  return {
    kind: 'lark',
    text,
    ...(ends && { marks: [...writer.marks] }),
    ...(hasDistinct && { distinctAfter: distinct }),
    ...(hasApart && { distinctParts: apart }),
  }
}

/** In the text of a schema with lists of distinct items. */
const DISTINCT = '"uniqueItems":true'

const isDistinct = ({ value }: ForcedPart): boolean =>
  value.kind === 'json' && JSON.stringify(value.schema).includes(DISTINCT)

/** A token of the vocabulary by its id. */
const token = (id: number) => `<[${id}]>`
const literal = (text: string) => JSON.stringify(text)

class Writer {
  /** What ends free text. */
  readonly marks = new Set<string | number>()
  /** What lists of arguments are, after the texts before these. */
  readonly distinct = new Map<string, NonNullable<GrammarSource['distinctAfter']>[number]>()
  /** The same where each argument stands apart. */
  readonly apart = new Map<string, DistinctParts>()
  readonly #split: ForcedGrammarOptions['split']
  readonly #read: HeldReader
  readonly #rules: string[] = []
  #next = 0
  /** Rules of the numbers of calls; null: none is numbered. */
  #numbers: string | null = null
  #first = 0
  /** Lists of distinct items are read as they are written, which is known of JSON alone. */
  #distinct = false

  constructor({ split, read = readSchema }: ForcedGrammarOptions) {
    this.#split = split
    this.#read = read
  }

  write(forced: ForcedText, options: ForcedGrammarOptions): string {
    const { reasoning: inside = false, otherwise: other, lead = '', triggered = false } = options
    if (other?.distinct !== undefined) {
      const what = forced.calls.length > 0 ? 'beside tools' : 'in a channel of its own'
      throw refusal('', 'uniqueItems', `cannot be held in an answer ${what}; leave it out`)
    }
    const { reasoning, free, triggers, leads } = forced
    this.#first = forced.first
    this.#distinct = forced.calls.some(({ arguments: given }) => given.kind === 'parts' && given.parts.some(isDistinct))
    const think = reasoning.end === '' ? '' : this.#until(reasoning.end)
    const begin = `${BLANKS}? ${this.#text(reasoning.begin)}`
    const before = think === '' ? '' : inside ? think : reasoning.begin === '' ? '' : `(${begin} ${think})?`
    // Where a call can only begin the answer, it is written as one that must come.
    const [trigger = ''] = leads === null ? triggers : []
    const calls = forced.calls.length > 0 ? this.#calls(forced, trigger) : ''
    let rest = trigger === '' ? `${BLANKS}? ${calls}` : `${this.#until(trigger)} ${calls}`
    if (free) rest = triggered ? rest : this.#rule(`${rest} | ${ANY}`)
    else if (other?.kind === 'json' && isJson(forced)) {
      const call = ({ name, arguments: given }: ForcedCall) =>
        this.#held(given.kind === 'json' ? given.schema : {}, name)
      rest = `${BLANKS}? ${this.#source(jsonCallsOr(forced, call, other))}`
    } else if (other !== undefined) {
      const answer = `${this.#text(lead)} ${other.kind === 'json' ? `${BLANKS}?` : ''} ${this.#source(other)}`
      rest = this.#rule(calls === '' ? answer : `${BLANKS}? ${calls} | ${answer}`)
    }
    return [`start: ${before} ${rest}`, ...this.#rules].join('\n')
  }

  /** Calls, whose first `trigger` is already written. */
  #calls({ open, between, close, max, calls }: ForcedText, trigger: string): string {
    const counted = calls.some(({ begin }) => begin.some(piece => typeof piece !== 'string'))
    if (counted) return this.#numbered(open, between, close, max, calls, trigger)
    const all = this.#rule(calls.map(call => this.#call(call, '', '')).join(' | '))
    // The trigger may be all of what opens the calls, a part of it, or reach into the first call.
    const first =
      trigger === ''
        ? `${this.#text(open)} ${all}`
        : this.#rule(calls.map(call => this.#call(call, open, trigger)).join(' | '))
    return this.#rule(`${first} ${this.#more(all, between, close, max === null ? null : max - 1)}`)
  }

  /** The same where each call has the number of its place: rules whose parameter is that number. */
  #numbered(
    open: string,
    between: string,
    close: string,
    max: number | null,
    calls: ForcedText['calls'],
    trigger: string,
  ): string {
    const [first, last] = [this.#first, this.#first + (max ?? MAX_NUMBERED)]
    const name = `n${this.#next++}`
    const digits = Array.from({ length: last - first }, (_, i) => `"${first + i}" %if eq(_, ${first + i})`)
    this.#numbers = `${name}_number::_`
    this.#rules.push(`${this.#numbers}: ${digits.join(' | ')}`)
    const rules = (opening: string, begun: string) =>
      calls.map(call => `${this.#call(call, opening, begun)}::_`).join(' | ')
    const begin = trigger === '' ? this.#text(open) : ''
    this.#rules.push(`${name}_first::_: ${trigger === '' ? rules('', '') : rules(open, trigger)}`)
    this.#rules.push(`${name}_call::_: ${rules('', '')}`)
    const again = `${this.#text(between)} ${name}_call::_ ${name}_more::incr(_) %if lt(_, ${last})`
    this.#rules.push(`${name}_more::_: ${this.#text(close) || '""'} | ${again}`)
    this.#numbers = null
    return this.#rule(`${begin} ${name}_first::${first} ${name}_more::${first + 1}`)
  }

  /** Up to so many further calls, and what closes them. What both begin with is written once: lexemes are not taken back. */
  #more(call: string, between: string, close: string, max: number | null): string {
    if (max === 0) return this.#text(close)
    const [a, b] = [this.#atoms(between), this.#atoms(close)]
    let same = 0
    while (same < a.length && same < b.length && a[same] === b[same]) same++
    const again = `r${this.#next++}`
    const rest = max === null ? again : this.#more(call, between, close, max - 1)
    const next = this.#rule(`${this.#written(a.slice(same))} ${call} ${rest} | ${this.#written(b.slice(same)) || '""'}`)
    this.#rules.push(`${again}: ${this.#written(a.slice(0, same))} ${next}`)
    return again
  }

  /** A text by characters and control tokens. */
  #atoms(text: string): (string | number)[] {
    return this.#split(text).flatMap((part): (string | number)[] => (typeof part === 'number' ? [part] : [...part]))
  }

  #written(atoms: readonly (string | number)[]): string {
    const parts: (string | number)[] = []
    for (const atom of atoms) {
      const last = parts.at(-1)
      if (typeof atom === 'string' && typeof last === 'string') parts[parts.length - 1] = last + atom
      else parts.push(atom)
    }
    return parts.map(part => this.#piece(part)).join(' ')
  }

  #call(call: ForcedCall, open: string, trigger: string): string {
    const [head = '', ...pieces] = call.begin
    const start: ForcedPiece[] = typeof head === 'string' ? [open + head, ...pieces] : [open, head, ...pieces]
    const known = typeof start[0] === 'string' ? start[0] : ''
    const whole = trigger === '' ? known : known.trimStart()
    const rest = [whole.slice(trigger.length), ...start.slice(1)]
    const begin = rest.map(piece => this.#begun(piece)).join(' ')
    const { name, arguments: given, end } = call
    const rule = (body: string) => (this.#numbers === null ? this.#rule(body) : this.#rule(body, '::_'))
    if (given.kind === 'json') {
      const source = this.#held(given.schema, name, true)
      this.distinct.set(name, { before: bytesBefore(call), schema: source.distinct ?? source.text })
      return rule(`${begin} ${this.#source(source)} ${this.#text(end)}`)
    }
    if (given.unheld !== null) throw this.#refused(refusal('', given.unheld.keyword, given.unheld.what), name)
    const read: DistinctParts['parts'][number][] = []
    const parts = given.parts.map(part => {
      const source = part.value.kind === 'json' ? this.#held(part.value.schema, `${name}/${part.name}`, true) : null
      const schema = source && (source.distinct ?? source.text)
      read.push({ begin: part.begin, end: this.#split(part.end), schema })
      return { rule: this.#part(part, name, source, given.quote), required: part.required }
    })
    this.apart.set(name, { before: bytesBefore(call), parts: read, between: given.between, end })
    return rule(`${begin} ${this.#sequence(parts, given.between, false)} ${this.#text(end)}`)
  }

  /** Parts in their order, those not required left out at will, with `between` between those that are there. */
  #sequence(parts: readonly { rule: string; required: boolean }[], between: string, follows: boolean): string {
    const [first, ...others] = parts
    if (first === undefined) return '""'
    const rest = this.#sequence(others, between, true)
    const there = `${follows ? this.#text(between) : ''} ${first.rule} ${rest}`
    if (first.required) return this.#rule(there)
    return this.#rule(`${there} | ${follows ? rest : this.#sequence(others, between, false)}`)
  }

  /** `source`: of the value where it is JSON. */
  #part(
    { name, begin, end, value }: ForcedPart,
    tool: string,
    source: GrammarSource | null,
    quote: string | null,
  ): string {
    const path = `${tool}/${name}`
    const quoted = quote !== null && !this.#distinct && isQuotable(value.schema, value.schema)
    const json = source && (quoted ? this.#quoted(value.schema, quote, path) : this.#source(source))
    const held = json === null ? this.#value(value.schema, end, path) : `${json} ${this.#text(end)}`
    return this.#rule(`${this.#text(begin)} ${held}`)
  }

  #quoted(schema: Readonly<Record<string, unknown>>, quote: string, path: string): string {
    return quotedValue(schema, schema, {
      rule: body => this.#rule(body),
      name: () => `r${this.#next++}`,
      define: (name, body) => void this.#rules.push(`${name}: ${body}`),
      text: part => `${this.#text(quote)} ${this.#value(part, quote, path)}`,
      json: part => this.#source(this.#read(part, false).source),
      literal,
      sequence: (parts, between) => this.#sequence(parts, between, false),
    })
  }

  /** The characters of a string, and the text that ends them. */
  #value(schema: Readonly<Record<string, unknown>>, end: string, path: string): string {
    const { minLength, maxLength, lists, terms } = holdTexts(schema, path)
    if (lists.length > 0) {
      const texts = lists
        .reduce((some, others) => {
          const known = new Set(others)
          return some.filter(value => known.has(value))
        })
        .filter(value => typeof value === 'string' && value !== '')
        .map(value => literal(value as string))
      if (texts.length === 0)
        throw new SchemaError(`The schema of ${path} has no text among its values`, { path, keyword: 'enum' })
      const values = `(${texts.join(' | ')})`
      const others = [...terms, ...lengths(minLength, maxLength)]
      if (others.length === 0) return `${values} ${this.#text(end)}`
      const content = `T${this.#next++}`
      this.#rules.push(`${content}: ${[values, ...others].join(' & ')}`)
      return `${content} ${this.#text(end)}`
    }
    // A text that may be short ends at the first mark; another one must not contain it, which is held for a while only.
    const bare = minLength === 0 && terms.length === 0
    const longest = maxLength !== undefined && !bare ? Math.min(maxLength, MAX_COUNTED) : maxLength
    const bounds = lengths(minLength, longest)
    if (bare) return this.#until(end, bounds, false)
    return this.#until(end, [...terms, ...bounds])
  }

  /** Free text up to a mark that it does not contain, and the mark. `expressions`: what else holds of the text. */
  #until(mark: string, expressions: readonly string[] = [], without = expressions.length > 0): string {
    const [head, ...others] = this.#split(mark)
    if (head !== undefined && head !== '') this.marks.add(head)
    const rest = others.map(part => this.#piece(part)).join(' ')
    const bare = mark.trim()
    // Control tokens are never part of a text.
    const excluded =
      typeof head === 'string' && bare !== '' && others.length === 0 ? [`~/(?s:.*)${quoted(bare)}(?s:.*)/`] : []
    const terms = [...expressions, ...(without ? excluded : [])]
    const content = `T${this.#next++}`
    this.#rules.push(`${content}: ${terms.length > 0 ? terms.join(' & ') : ANY}`)
    if (typeof head !== 'string') return `${content} ${head === undefined ? '' : token(head)} ${rest}`
    const name = `r${this.#next++}`
    this.#rules.push(`${name}[lazy]: ${content} ${literal(head)}`)
    return `${name} ${rest}`
  }

  /** `known`: whether the JSON is read from a known place, so that its lists can be held. */
  #held(schema: unknown, tool: string, known = false): GrammarSource {
    try {
      return this.#read(schema, known).source
    } catch (error) {
      throw error instanceof SchemaError ? this.#refused(error, tool) : error
    }
  }

  #refused({ message, keyword, path }: SchemaError, tool: string): SchemaError {
    return new SchemaError(`The parameters of ${tool}: ${message}`, { keyword, path: `/${tool}${path}` })
  }

  /** A whole grammar as a rule. */
  #source({ kind, text }: GrammarSource): string {
    if (kind === 'json') return this.#rule(`%json ${text}`)
    if (kind === 'lark') return this.#rule(`%lark {\n${text}\n}`)
    return this.#rule(expression(text))
  }

  #text(text: string): string {
    if (text === '') return ''
    return this.#split(text)
      .map(part => this.#piece(part))
      .join(' ')
  }

  #piece(part: string | number): string {
    return typeof part === 'number' ? token(part) : literal(part)
  }

  #begun(piece: ForcedPiece): string {
    return typeof piece === 'string' ? this.#text(piece) : (this.#numbers as string)
  }

  #rule(body: string, parameter = ''): string {
    const name = `r${this.#next++}`
    this.#rules.push(`${name}${parameter}: ${body.trim() === '' ? '""' : body}`)
    return name
  }
}

/** What a call begins with, without blanks in front, as bytes; null: its number. */
const bytesBefore = ({ begin }: ForcedCall): (string | null)[] =>
  begin.map((piece, i) => (typeof piece === 'string' ? bytesOf(i === 0 ? piece.trimStart() : piece) : null))

/** A text in a regular expression between slashes. */
const quoted = (text: string): string =>
  [...text]
    .map(character => (/[\w ]/.test(character) ? character : `\\x{${character.codePointAt(0)?.toString(16)}}`))
    .join('')
