import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AddedToken, AddedTokenFinder } from '../../src/tokenizer/added-tokens.ts'

const PLAIN = { special: false, control: false, singleWord: false, lstrip: false, rstrip: false, normalized: false }
const texts = (maxLength: number) => fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength })

/** From left to right, the longest at each position: by trying all. */
function found(contents: readonly string[], text: string): string[] {
  const matches: string[] = []
  for (let at = 0; at < text.length; ) {
    const [longest = ''] = contents.filter(one => text.startsWith(one, at)).sort((a, b) => b.length - a.length)
    if (longest !== '') matches.push(`${at} ${longest}`)
    at += longest.length || 1
  }
  return matches
}

test('finds the tokens that trying all of them finds, whatever they have in common', () => {
  const tokens = fc.uniqueArray(texts(6), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(tokens, texts(40), (contents, text) => {
      const added = contents.map((content, id): readonly [string, AddedToken] => [content, { ...PLAIN, id, content }])
      const finder = new AddedTokenFinder(added)
      expect(finder.find(text).map(({ at, token }) => `${at} ${token.content}`)).toEqual(found(contents, text))
    }),
    { numRuns: 500, seed: 18 },
  )
})
