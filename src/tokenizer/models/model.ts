import type { Component } from '../tokenizer-json.ts'
import { bpe } from './bpe.ts'
import type { Cut } from './cut.ts'
import { unigram } from './unigram.ts'
import { Vocabulary } from './vocabulary.ts'
import { wordPiece } from './word-piece.ts'

export interface Model {
  readonly vocabulary: Vocabulary
  readonly cut: Cut
}

/**
 * The `model` of a tokenizer.json, which was checked. They are ours because those of @huggingface/tokenizers take time or
 * memory that is quadratic in a piece, or in the longest token.
 */
export function compileModel(spec: Component): Model {
  const vocabulary = new Vocabulary(spec)
  if (spec.type === 'Unigram') return { vocabulary, cut: unigram(spec, vocabulary) }
  if (spec.type === 'WordPiece') return { vocabulary, cut: wordPiece(spec, vocabulary) }
  return { vocabulary, cut: bpe(spec, vocabulary) }
}
