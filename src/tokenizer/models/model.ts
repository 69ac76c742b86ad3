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
 * Compiles the checked `model` of a tokenizer.json. The models are our own, since those of @huggingface/tokenizers need time
 * or memory quadratic in the length of a piece or of the longest token.
 */
export function compileModel(spec: Component, controls: ReadonlySet<number>): Model {
  const vocabulary = new Vocabulary(spec)
  if (spec.type === 'Unigram') return { vocabulary, cut: unigram(spec, vocabulary, controls) }
  if (spec.type === 'WordPiece') return { vocabulary, cut: wordPiece(spec, vocabulary) }
  return { vocabulary, cut: bpe(spec, vocabulary) }
}
