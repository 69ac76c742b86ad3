import type { Metadata } from './metadata.ts'
import { TOKEN, type Vocabulary } from './vocabulary.ts'

/**
 * The merges that a SentencePiece BPE vocabulary stands for. SentencePiece joins whichever neighbours make the token
 * of the highest score; so a merge for every way in which a token is two others, in the order of falling scores, gives
 * the same pieces.
 */
export function mergesOf(m: Metadata, { tokens, types }: Vocabulary): [string, string][] {
  const scores =
    m.optionalNumbers('tokenizer.ggml.scores', { length: tokens.length }) ??
    m.missing('tokenizer.ggml.scores', 'an array of numbers')
  const mergeable = new Set<string>()
  for (const [i, token] of tokens.entries()) if (canMerge(types[i] as number)) mergeable.add(token)

  const merges: { left: string; right: string; score: number }[] = []
  for (const [i, token] of tokens.entries()) {
    if (!canMerge(types[i] as number) || token.length > MAX_LENGTH) continue
    for (const left of prefixes(token)) {
      const right = token.slice(left.length)
      if (mergeable.has(left) && mergeable.has(right)) merges.push({ left, right, score: scores[i] as number })
    }
  }
  // Of the ways to one token the longest left part first, as in the hub's conversions.
  merges.sort((a, b) => b.score - a.score || b.left.length - a.left.length)
  return merges.map(({ left, right }) => [left, right])
}

/** SentencePiece itself makes tokens of at most 16 characters; a hostile one would cost its length squared. */
const MAX_LENGTH = 256

/** Control tokens are never made of text; bytes stand for what no token has. */
function canMerge(type: number): boolean {
  return type === TOKEN.normal || type === TOKEN.userDefined
}

/** All but the whole, ending between characters. */
function* prefixes(token: string): Generator<string> {
  let end = 0
  for (const character of token) {
    if (end > 0) yield token.slice(0, end)
    end += character.length
  }
}
