import { defineError, LatentkitError, registerError } from '../errors.ts'

/** A grammar that cannot be read, or a text that got beyond what a grammar may cost. Says where and why. */
export const GrammarError = defineError('GrammarError', 'bad_grammar')
export type GrammarError = LatentkitError

/** A JSON schema that cannot be held while a text is generated. Names the place and the keyword. */
export class SchemaError extends LatentkitError {
  /** JSON pointer of the schema with the keyword: `/properties/age`; '' is the whole. */
  readonly path: string
  /** The keyword that cannot be held; '' if the schema itself is none. */
  readonly keyword: string

  constructor(message: string, options?: ErrorOptions & { readonly path?: string; readonly keyword?: string }) {
    super('bad_schema', message, options)
    this.path = options?.path ?? ''
    this.keyword = options?.keyword ?? ''
  }
}
registerError('SchemaError', SchemaError)

/** A finished answer that is not what was asked for: not JSON, or against its schema. */
export class OutputError extends LatentkitError {
  /** The whole answer. */
  readonly text: string

  constructor(message: string, options?: ErrorOptions & { readonly text?: string }) {
    super('bad_output', message, options)
    this.text = options?.text ?? ''
  }
}
registerError('OutputError', OutputError)
