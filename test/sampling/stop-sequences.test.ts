import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StopMatcher } from '../../src/sampling/stop-sequences.ts'

/** On the whole text: the end that comes first; of several sequences with that end the longest. */
function naive(text: string, sequences: readonly string[]): { shown: string; stop: string | undefined } {
  for (let end = 1; end <= text.length; end++) {
    const found = sequences.filter(stop => text.slice(0, end).endsWith(stop))
    if (found.length === 0) continue
    const stop = found.reduce((a, b) => (b.length > a.length ? b : a))
    return { shown: text.slice(0, end - stop.length), stop }
  }
  return { shown: text, stop: undefined }
}

/** Few letters, so that beginnings, repetitions and overlaps of stops are everywhere. */
const letters = (maxLength: number, minLength = 0) =>
  fc.string({ unit: fc.constantFrom('a', 'b', '\n', 'é', '😀', '\u{1F601}'), minLength, maxLength })

function cut(text: string, at: readonly number[]): string[] {
  const places = [...new Set(at.map(x => x % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((place, i) => text.slice(place, places[i]))
}

test('any text in any pieces: what a search in the whole text finds', () => {
  fc.assert(
    fc.property(
      letters(60),
      fc.array(letters(6, 1), { maxLength: 4 }),
      fc.array(fc.nat(200), { maxLength: 20 }),
      (text, sequences, at) => {
        const matcher = new StopMatcher(sequences)
        const want = naive(text, sequences)
        let shown = ''
        let read = ''
        for (const piece of cut(text, at)) {
          read += piece
          shown += matcher.push(piece)
          // Never more than is certain, and no less: what is held back could still begin a stop.
          const found = naive(read, sequences)
          const held = found.stop === undefined ? longestStart(read, sequences) : 0
          expect(shown).toBe(found.shown.slice(0, found.shown.length - held))
        }
        expect(matcher.stop).toBe(want.stop)
        expect(shown + matcher.flush()).toBe(want.shown)
      },
    ),
    { numRuns: 5000 },
  )
})

/** Length of the longest end of the text that begins a sequence. */
function longestStart(text: string, sequences: readonly string[]): number {
  let longest = 0
  for (const stop of sequences) {
    for (let n = Math.min(text.length, stop.length - 1); n > longest; n--) {
      if (text.endsWith(stop.slice(0, n))) longest = n
    }
  }
  return longest
}

describe('by example', () => {
  const feed = (sequences: string[], pieces: string[]) => {
    const matcher = new StopMatcher(sequences)
    return [...pieces.map(piece => matcher.push(piece)), matcher.flush()]
  }

  test('across pieces, and nothing after it', () => {
    expect(feed(['\n\nUser:'], ['Hi', ' there\n', '\nUs', 'er: next', 'more'])).toEqual([
      'Hi',
      ' there',
      '',
      '',
      '',
      '',
    ])
  })

  test('what only looked like one is released', () => {
    expect(feed(['</s>'], ['a <', '/', 'b', '</s'])).toEqual(['a ', '', '</b', '', '</s'])
  })

  test('a stop that begins inside another beginning', () => {
    expect(feed(['aab'], ['a', 'a', 'a', 'b', 'c'])).toEqual(['', '', 'a', '', '', ''])
  })

  test('of two, the one that is complete first; of two at once, the longer', () => {
    expect(feed(['bcd', 'c'], ['abcd'])).toEqual(['ab', ''])
    expect(feed(['c', 'bc'], ['abc'])).toEqual(['a', ''])
  })

  test('which one it was; after flush a new text begins', () => {
    const matcher = new StopMatcher(['X', 'YZ'])
    matcher.push('aY')
    matcher.push('Z')
    expect(matcher.stop).toBe('YZ')
    expect(matcher.push('ignored')).toBe('')
    expect(matcher.flush()).toBe('')
    expect([matcher.stop, matcher.push('bX'), matcher.stop]).toEqual([undefined, 'b', 'X'])
  })

  test('without sequences everything passes at once', () => {
    expect(feed([], ['a', '', 'b'])).toEqual(['a', '', 'b', ''])
  })
})

test('refused: what is no list of texts', () => {
  expect(() => new StopMatcher('x' as never)).toThrow('stopSequences is "x"; expected a list of texts')
  expect(() => new StopMatcher(['a', ''])).toThrow('stopSequences[1] is ""; expected a text that is not empty')
  expect(() => new StopMatcher([3 as never])).toThrow('stopSequences[0] is 3; expected a text that is not empty')
})

test('a long text of repetitions takes linear time', () => {
  const matcher = new StopMatcher([`${'a'.repeat(2000)}b`])
  const started = performance.now()
  for (let i = 0; i < 2000; i++) matcher.push('a'.repeat(100))
  // A tenth of a second; comparing every beginning anew would take minutes.
  expect(performance.now() - started).toBeLessThan(10_000)
})
