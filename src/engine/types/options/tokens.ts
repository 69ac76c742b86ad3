/** Options of `engine.tokenize` and `engine.detokenize`. */
import { flag, type OptionTable } from '../../../options/kinds.ts'

/** Options of `engine.tokenize`. */
export interface TokenizeOptions {
  /** Let the tokenizer add its special tokens, as for the first text of a session. Default false. */
  readonly addSpecialTokens?: boolean
  /** Control tokens that are written out in the text become these tokens; false: they are plain text. Default true. */
  readonly parseSpecial?: boolean
}

export const TOKENIZE_OPTIONS = {
  addSpecialTokens: { kind: flag, description: 'let the tokenizer add its special tokens' },
  parseSpecial: {
    kind: flag,
    description: 'control tokens that are written out are these tokens',
    defaultText: 'true',
  },
} satisfies OptionTable<TokenizeOptions>

/** Options of `engine.detokenize`. */
export interface DetokenizeOptions {
  /** Special tokens give no text. Default false. */
  readonly skipSpecialTokens?: boolean
}

export const DETOKENIZE_OPTIONS = {
  skipSpecialTokens: { kind: flag, description: 'special tokens give no text' },
} satisfies OptionTable<DetokenizeOptions>
