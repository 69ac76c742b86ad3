import { Fault } from '../errors.ts'

export type TokenType =
  | 'data'
  | 'block_begin'
  | 'block_end'
  | 'variable_begin'
  | 'variable_end'
  | 'name'
  | 'string'
  | 'integer'
  | 'float'
  | 'eof'
  /** Operators have their own text as type. */
  | Operator

export type Operator =
  | '+'
  | '-'
  | '/'
  | '//'
  | '*'
  | '%'
  | '**'
  | '~'
  | '['
  | ']'
  | '('
  | ')'
  | '{'
  | '}'
  | '=='
  | '!='
  | '>'
  | '>='
  | '<'
  | '<='
  | '='
  | '.'
  | ':'
  | '|'
  | ','
  | ';'

export interface Token {
  readonly type: TokenType
  /** The name, the string's or data's text, the number as written. */
  readonly value: string
  readonly line: number
}

export function syntaxError(message: string, line: number): Fault {
  return new Fault('TemplateSyntaxError', message, line)
}

/** How a token is called in messages. */
export function describeToken(token: Token): string {
  const names: Partial<Record<TokenType, string>> = {
    block_begin: 'begin of statement block',
    block_end: 'end of statement block',
    variable_begin: 'begin of print statement',
    variable_end: 'end of print statement',
    data: 'template data / text',
    eof: 'end of template',
  }
  return token.type === 'name' ? token.value : (names[token.type] ?? token.type)
}
