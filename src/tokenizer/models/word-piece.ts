import type { Component } from '../tokenizer-json.ts'
import type { Cut, Id } from './cut.ts'
import { ROOT, TokenTrie } from './token-trie.ts'
import type { Vocabulary } from './vocabulary.ts'

/** The longest token at each position. A word that cannot be written so, or is too long, is unknown as a whole. */
export function wordPiece(spec: Component, { idOf, unknown }: Vocabulary): Cut {
  const trie = new TokenTrie(idOf)
  const prefix = typeof spec.continuing_subword_prefix === 'string' ? spec.continuing_subword_prefix : '##'
  const longest = typeof spec.max_input_chars_per_word === 'number' ? spec.max_input_chars_per_word : 100
  let inner = ROOT
  for (let i = 0; i < prefix.length && inner >= 0; i++) inner = trie.step(inner, prefix.charCodeAt(i))
  return (piece, ids, work) => {
    work.spend(piece.length)
    const cut: Id[] = []
    let at = count(piece) > longest ? NOWHERE : 0
    while (at !== NOWHERE && at < piece.length) {
      let end = NOWHERE
      let id = -1
      let walked = at
      let node = at === 0 ? ROOT : inner
      while (node >= 0 && walked < piece.length) {
        node = trie.step(node, piece.charCodeAt(walked++))
        if (node < 0 || trie.idAt(node) < 0) continue
        id = trie.idAt(node)
        end = walked
      }
      work.spend(walked - at)
      cut.push(id)
      at = end
    }
    for (const id of at === NOWHERE ? [unknown] : cut) ids.push(id)
  }
}

const NOWHERE = -1

function count(piece: string): number {
  let points = 0
  for (const _ of piece) points++
  return points
}
