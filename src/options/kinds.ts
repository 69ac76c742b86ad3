/** The kinds of options, as data: checks, the command line and help all read this one description. */

/** Ranges include both ends; with `above`, the lower end is excluded. */
export type Kind =
  | { readonly kind: 'whole'; readonly min: number; readonly max: number }
  | { readonly kind: 'number'; readonly min: number; readonly max: number; readonly above: boolean }
  | { readonly kind: 'flag' | 'signal' | 'function' | 'data' | 'fields' | 'schema' | 'expression' }
  | { readonly kind: 'biases'; readonly texts: boolean }
  | { readonly kind: 'text'; readonly empty: boolean }
  | { readonly kind: 'choice'; readonly of: readonly string[] }
  | { readonly kind: 'list'; readonly of: Kind; readonly items: string }
  | { readonly kind: 'options'; readonly of: OptionRows }

export interface OptionRow {
  readonly kind: Kind
  /** What the option does, in a few words. */
  readonly description: string
  /** The default, in words. */
  readonly defaultText?: string
  /** Its flag on the command line. */
  readonly flag?: string
}

/**
 * All options of a function by name. It stands beside their type, to which the compiler holds it, and is all that checks, flags and help read.
 */
export type OptionTable<T extends object> = { readonly [K in keyof Required<T>]: OptionRow }
export type OptionRows = Readonly<Record<string, OptionRow>>

export const flag: Kind = { kind: 'flag' }
export const signal: Kind = { kind: 'signal' }
export const callback: Kind = { kind: 'function' }
/** Anything that can be copied: text, numbers, lists, objects of these. */
export const data: Kind = { kind: 'data' }
/** A JSON schema as such data, or an object of a library of schemas, which is not copied. */
export const schema: Kind = { kind: 'schema' }
/** A regular expression, or its source. */
export const expression: Kind = { kind: 'expression' }
/** An object whose fields are such data. */
export const fields: Kind = { kind: 'fields' }
/** An object from token id to the number added to its logit. */
export const biases: Kind = { kind: 'biases', texts: false }
/** The same, in which a token's text may stand for its id. */
export const textBiases: Kind = { kind: 'biases', texts: true }
export const text: Kind = { kind: 'text', empty: false }
export const anyText: Kind = { kind: 'text', empty: true }

export function whole(min: number = Number.MIN_SAFE_INTEGER, max: number = Number.MAX_SAFE_INTEGER): Kind {
  return { kind: 'whole', min, max }
}

export function number(min = -Number.MAX_VALUE, max = Number.MAX_VALUE): Kind {
  return { kind: 'number', min, max, above: false }
}

export function above(min: number): Kind {
  return { kind: 'number', min, max: Number.MAX_VALUE, above: true }
}

export function choice(of: readonly string[]): Kind {
  return { kind: 'choice', of }
}

/** `items`: a noun for its entries, for messages. */
export function list(of: Kind, items: string): Kind {
  return { kind: 'list', of, items }
}

export function nested(of: OptionRows): Kind {
  return { kind: 'options', of }
}

/** The end of the sentence "expected …". */
export function expectation(kind: Kind): string {
  switch (kind.kind) {
    case 'whole':
      if (kind.max < Number.MAX_SAFE_INTEGER) return `a whole number from ${kind.min} to ${kind.max}`
      return kind.min > Number.MIN_SAFE_INTEGER ? `a whole number, ${kind.min} or more` : 'a whole number'
    case 'number':
      if (kind.max < Number.MAX_VALUE) return `a number from ${kind.min} to ${kind.max}`
      if (kind.above) return `a finite number above ${kind.min}`
      return kind.min > -Number.MAX_VALUE ? `a finite number of at least ${kind.min}` : 'a finite number'
    case 'flag':
      return 'true or false'
    case 'signal':
      return 'an AbortSignal'
    case 'function':
      return 'a function'
    case 'data':
      return 'plain data'
    case 'schema':
      return 'a JSON schema, or one of zod, valibot or another library of Standard Schema'
    case 'expression':
      return 'a regular expression'
    case 'fields':
    case 'options':
      return 'an object'
    case 'biases':
      return kind.texts ? 'an object of token ids or texts, and numbers' : 'an object of token ids and numbers'
    case 'text':
      return kind.empty ? 'a text' : 'a text that is not empty'
    case 'choice':
      return kind.of.join(', ')
    case 'list':
      return `a list of ${kind.items}`
  }
}
