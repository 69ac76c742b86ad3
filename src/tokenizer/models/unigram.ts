import type { Component } from '../tokenizer-json.ts'
import type { Cut } from './cut.ts'
import { ROOT, TokenTrie } from './token-trie.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Score of a code point without a token, relative to the least likely token: lower by this. */
const PENALTY = 10

/**
 * The likeliest segmentation of a piece (Viterbi); ties: the one whose last token is the longest. Tokens that control the model are in
 * the vocabulary, too, but a text is never made of them: what is meant as one is found before.
 */
export function unigram(spec: Component, vocabulary: Vocabulary, controls: ReadonlySet<number>): Cut {
  const { scores, unknown, trie, apart } = spec.pieces
    ? piecesApart(spec, vocabulary)
    : ownTokens(spec, vocabulary, controls)
  return (piece, ids, work) => {
    const n = piece.length
    const best = new Float64Array(n + 1).fill(Number.NEGATIVE_INFINITY)
    const tokens = new Int32Array(n + 1)
    const begins = new Int32Array(n + 1)
    best[0] = 0
    const offer = (from: number, to: number, token: number) => {
      const score = best[from]! + scores[token]!
      if (begins[to] !== NONE && score <= best[to]!) return
      best[to] = score
      tokens[to] = token
      begins[to] = from
    }
    begins.fill(NONE)
    for (let from = 0; from < n; ) {
      const single = from + (piece.codePointAt(from)! > 0xffff ? 2 : 1)
      let at = from
      let hasSingle = false
      for (let node = trie.step(ROOT, piece.charCodeAt(at)); node >= 0; node = trie.step(node, piece.charCodeAt(at))) {
        at++
        const token = trie.idAt(node)
        if (token >= 0) {
          offer(from, at, token)
          hasSingle ||= at === single
        }
        if (at === n) break
      }
      if (!hasSingle) offer(from, single, unknown)
      work.spend(4 + at - from)
      from = single
    }
    const reversed: number[] = []
    const starts: number[] = []
    const ends: number[] = []
    for (let at = n; at > 0; at = begins[at]!) {
      // Adjacent unknown code points become one unknown token.
      if (tokens[at] === unknown && reversed.at(-1) === unknown) {
        starts[starts.length - 1] = begins[at]!
        continue
      }
      reversed.push(tokens[at]!)
      starts.push(begins[at]!)
      ends.push(at)
    }
    for (let i = reversed.length - 1; i >= 0; i--) {
      const token = reversed[i]!
      ids.push(apart ? apart(token, piece.slice(starts[i], ends[i])) : token)
    }
  }
}

const NONE = -1

/** What a text is cut into. */
interface Pieces {
  readonly scores: Float64Array
  /** The piece that stands for what has none. */
  readonly unknown: number
  readonly trie: TokenTrie
  /** The id of a piece, and of the text that it stands for; null: pieces are ids. */
  readonly apart: ((piece: number, text: string) => number) | null
}

function ownTokens(spec: Component, { idOf, unknown }: Vocabulary, controls: ReadonlySet<number>): Pieces {
  const scores = Float64Array.from(spec.vocab as [string, number][], ([, score]) => score)
  scores[unknown!] = scores.reduce((a, b) => Math.min(a, b)) - PENALTY
  return {
    scores,
    unknown: unknown!,
    trie: new TokenTrie([...idOf].filter(([, id]) => !controls.has(id))),
    apart: null,
  }
}

/**
 * Where the vocabulary is another's (Marian): `pieces` has the text, the score and the id of each. What no piece has is looked for in the
 * vocabulary, too, which has more.
 */
function piecesApart({ pieces }: Component, { idOf, unknown: unknownId }: Vocabulary): Pieces {
  const all = pieces as [string, number, number][]
  const unknown = all.length
  const least = all.reduce((low, [, score]) => Math.min(low, score), 0)
  return {
    scores: Float64Array.from([...all.map(([, score]) => score), least - PENALTY]),
    unknown,
    trie: new TokenTrie(all.map(([text], i) => [text, i])),
    apart: (piece, text) => all[piece]?.[2] ?? idOf.get(text) ?? unknownId!,
  }
}
