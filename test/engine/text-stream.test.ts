import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TextStream } from '../../src/engine/loop/text-stream.ts'
import { StopMatcher } from '../../src/sampling/stop-sequences.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { readJson } from '../tokenizer/load.ts'

const special = (id: number, content: string) => ({ id, content, special: true, normalized: false })
const tokenizer = createTokenizer({
  tokenizer: {
    ...(readJson('test/fixtures/tokenizers/small-320/tokenizer.json') as object),
    added_tokens: [special(320, '<x>'), special(321, '<y>')],
  },
})
const idOf = (part: string) => tokenizer.encode(part)[0]!

/** Tokens until a stop; the last one may be an end, which joins nothing. */
function write(tokens: readonly number[], stops: readonly string[], { skip = true, end = null as number | null } = {}) {
  const matcher = new StopMatcher(stops, text => tokenizer.splitAtSpecial(text))
  const stream = new TextStream({
    tokenizer,
    stops: stops.length > 0 ? matcher : null,
    after: [],
    skipSpecialTokens: skip,
  })
  const ids: number[] = []
  let text = ''
  let stopped = false
  for (const token of tokens) {
    ids.push(token)
    const pushed = stream.push(token)
    text += pushed.text
    stopped = pushed.stopped
    if (stopped) break
  }
  if (!stopped && end !== null) {
    const ended = stream.end(end)
    text += ended.text
    stopped = ended.stopped
  } else if (!stopped) text += stream.flush()
  const { keep, tail } = stopped ? stream.tokensOf(text, ids) : { keep: ids.length, tail: [] }
  return { text, stopped, ids: [...ids.slice(0, keep), ...tail], read: ids.length }
}

const ids = (...parts: string[]) => parts.map(idOf)

describe('a stop sequence with the text of a special token', () => {
  it.each([
    ['is that token', ids('a', '<x>', 'b'), ['<x>'], 'a', ids('a')],
    ['begins in plain text', ids('a', 'b', '<x>'), ['b<x>'], 'a', ids('a')],
    ['goes on in plain text', ids('a', '<x>', 'b', 'c'), ['<x>b'], 'a', ids('a')],
    ['has it in its middle', ids('c', 'a', '<x>', 'b'), ['a<x>b'], 'c', ids('c')],
    ['has several', ids('a', '<x>', '<y>'), ['<x><y>'], 'a', ids('a')],
    ['comes behind another special token, which stays', ids('a', '<y>', 'b', '<x>'), ['b<x>'], 'a', ids('a', '<y>')],
    ['may be spelled out, too', tokenizer.encode('a<x>', { parseSpecial: false }), ['<x>'], 'a', ids('a')],
    ['counts where it is complete first', ids('a', '<x>', 'b'), ['ab', '<x>'], 'a', ids('a')],
  ])('%s', (_, tokens, stops, text, kept) => {
    for (const skip of [true, false]) {
      const shown = skip ? text : tokenizer.decode(kept)
      expect(write(tokens, stops, { skip })).toMatchObject({ text: shown, stopped: true, ids: kept })
    }
  })

  it('holds text back only as long as it may begin one', () => {
    expect(write(ids('a', 'b', '<y>', 'c'), ['b<x>'])).toMatchObject({ text: 'abc', stopped: false })
    expect(write(ids('a', 'b'), ['b<x>'])).toMatchObject({ text: 'ab', stopped: false })
  })

  it('is complete with the token that ends the text', () => {
    for (const skip of [true, false]) {
      expect(write(ids('a', 'b'), ['b<x>'], { skip, end: 320 })).toMatchObject({
        text: 'a',
        stopped: true,
        ids: ids('a'),
      })
      expect(write(ids('a', 'b'), ['b<y>'], { skip, end: 320 })).toMatchObject({ text: 'ab', stopped: false })
    }
  })
})

it('without one, text that is shown stops as before, whatever hidden tokens stand in it', () => {
  expect(write(ids('a', '<x>', 'b', 'c'), ['ab'])).toMatchObject({ text: '', stopped: true, ids: [] })
})

it('any tokens, any stops: the first stop in what is shown, or in all of it', () => {
  const part = fc.constantFrom('a', 'b', 'c', '<x>', '<y>')
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 12 }),
      fc.array(fc.array(part, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
      (parts, stops) => {
        const sequences = stops.map(stop => stop.join(''))
        const result = write(ids(...parts), sequences)
        const shownOf = (list: readonly string[]) => list.filter(p => p.length === 1).join('')
        const length = parts.findIndex((_, i) => {
          const before = parts.slice(0, i + 1)
          // Atoms of one character each, so that an end in letters is an end in parts.
          return sequences.some(
            stop => before.join('').endsWith(stop) || (before.at(-1)!.length === 1 && shownOf(before).endsWith(stop)),
          )
        })
        expect(result.stopped).toBe(length >= 0)
        expect(result.read).toBe(length >= 0 ? length + 1 : parts.length)
        if (length < 0) expect(result.text).toBe(shownOf(parts))
        else expect(tokenizer.decode(result.ids, { skipSpecialTokens: true })).toBe(result.text)
      },
    ),
    { numRuns: 3000 },
  )
})
