import { Tokenizer as Library } from '@huggingface/tokenizers'
import type { Component } from './tokenizer-json.ts'

/** The parts of @huggingface/tokenizers that we use; its own declarations resolve to `any` under nodenext. */
interface Parts {
  readonly normalizer: { normalize(text: string): string }
  readonly pre_tokenizer: { readonly pattern: RegExp }
  readonly post_processor: {
    /** Puts tokens around its input, which it does not inspect: we pass ids. */
    post_process<T>(
      ids: readonly T[],
      pair: readonly T[] | null,
      addSpecialTokens: boolean,
    ): { tokens: (T | string)[]; token_type_ids?: number[] }
  }
}

const NOTHING = {
  model: { type: 'BPE', vocab: {}, merges: [] },
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
}

/** A normaliser of the library. Throws for an unknown type. */
export function libraryNormalizer(part: Component): Parts['normalizer'] {
  return (new Library({ ...NOTHING, normalizer: part }, {}) as Parts).normalizer
}

export function libraryPostProcessor(part: Component): Parts['post_processor'] {
  return (new Library({ ...NOTHING, post_processor: part }, {}) as Parts).post_processor
}

/** Converts an expression from Oniguruma's syntax, as in tokenizer.json, to JavaScript's. Throws for an invalid one. */
export function inJavaScript(expression: string): string {
  const split = { type: 'Split', pattern: { Regex: expression }, behavior: 'Isolated', invert: false }
  return (new Library({ ...NOTHING, pre_tokenizer: split }, {}) as Parts).pre_tokenizer.pattern.source
}
