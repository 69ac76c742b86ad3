/** What a text is held to while it is drawn. */
import type { JsonSchema } from '../../../grammar/schema/json-schema.ts'
import type { StandardSchemaV1 } from '../../../grammar/standard-schema.ts'
import { expression, flag, list, type OptionTable, schema, text } from '../../../options/kinds.ts'

/**
 * What the text is held to while it is drawn: at most one of these (docs/structured-output.md). Reasoning before it stays
 * free. Not with `ignoreEos`. A stop sequence ends the text wherever it comes; a value that it cuts is undefined.
 */
export interface OutputOptions<T = unknown> {
  /**
   * JSON that satisfies a schema: a JSON schema, or one of zod, valibot or another library that can be written as a JSON
   * schema (Standard Schema). SchemaError names what of it cannot be held.
   */
  readonly schema?: JsonSchema | StandardSchemaV1<unknown, T>
  /** JSON: an object. Default false. */
  readonly json?: boolean
  /**
   * A text that the whole regular expression matches; without look-around and back-references. Its flags `i` and `s` count, those that
   * change nothing for a whole text may be there, `m` is refused. A text is the expression itself, which may begin with `(?i)`, `(?s)` or `(?is)`.
   */
  readonly regex?: string | RegExp
  /** One of these texts. */
  readonly choices?: readonly string[]
  /** A text of this grammar, in llguidance's form of Lark (it begins at `start`) or in llama.cpp's GBNF (at `root`). */
  readonly grammar?: string
}

/** Options with which `value` is the text; `C`: which texts it may be. */
export type TextForm<C extends string = string> =
  | {
      /** One of these texts. */
      readonly choices: readonly C[]
    }
  | {
      /** A text that the whole regular expression matches. */
      readonly regex: string | RegExp
    }
  | {
      /** A text of this grammar. */
      readonly grammar: string
    }

/** What `value` is: an object where the option `json` is true (`J`), else what the schema says (`T`). */
export type JsonValue<T, J extends boolean> = [J] extends [true] ? { [key: string]: unknown } : T

/** The option `json`, as its type is seen by a call. */
export interface JsonForm<J extends boolean = boolean> {
  /** JSON: an object. Default false. */
  readonly json?: J
}

export const OUTPUT_OPTIONS = {
  schema: { kind: schema, description: 'a JSON schema that the text satisfies', flag: '--schema <file>' },
  json: { kind: flag, description: 'a JSON object', flag: '--json-output' },
  regex: {
    kind: expression,
    description: 'what this regular expression matches',
    flag: '--regex <expression>',
  },
  choices: { kind: list(text, 'texts'), description: 'one of these texts', flag: '--choice <text>' },
  grammar: { kind: text, description: 'a text of this grammar (Lark)', flag: '--grammar <file>' },
} satisfies OptionTable<OutputOptions>
