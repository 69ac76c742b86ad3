import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { loadSmall } from './load.ts'

const small = loadSmall()
const byteToId = new Map(
  Array.from({ length: 320 }, (_, id) => id).flatMap(id => {
    const bytes = small.tokenBytes(id)
    return bytes.length === 1 ? [[bytes[0]!, id] as const] : []
  }),
)

/** UTF-8 with accidents: whole characters, their first and last parts, stray bytes. */
const bytes = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }).map(text => [...new TextEncoder().encode(text)]),
      fc
        .string({ unit: 'binary', minLength: 1, maxLength: 1 })
        .map(text => [...new TextEncoder().encode(text)].slice(0, -1)),
      fc
        .string({ unit: 'binary', minLength: 1, maxLength: 1 })
        .map(text => [...new TextEncoder().encode(text)].slice(1)),
      fc.uint8Array({ maxLength: 3 }).map(array => [...array]),
    ),
    { maxLength: 12 },
  )
  .map(parts => parts.flat())

/**
 * Independent of TextDecoder: the length of the last sequence of `all` that further bytes could still complete,
 * after the table of well-formed sequences in the Unicode standard (3-7).
 */
function unfinished(all: readonly number[]): number {
  for (let length = Math.min(3, all.length); length > 0; length--) {
    const [lead, second = -1, third = -1] = all.slice(-length) as [number, number?, number?]
    const needed =
      lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xc2 && lead <= 0xdf ? 2 : 1
    if (needed <= length) continue
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    if (second !== -1 && (second < low || second > high)) continue
    if (third !== -1 && (third < 0x80 || third > 0xbf)) continue
    return length
  }
  return 0
}

test('after every byte: all that is certain and nothing else', () => {
  fc.assert(
    fc.property(bytes, all => {
      const stream = small.detokenizer()
      let shown = ''
      for (let i = 0; i < all.length; i++) {
        shown += stream.push(byteToId.get(all[i]!)!)
        const certain = all.slice(0, i + 1 - unfinished(all.slice(0, i + 1)))
        expect(shown).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(certain)))
      }
      expect(shown + stream.flush()).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(all)))
    }),
    { numRuns: 2000 },
  )
})

test('a stream never ends inside a surrogate pair', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const stream = small.detokenizer()
      for (const id of small.encode(text, { addSpecialTokens: false })) {
        expect(stream.push(id)).not.toMatch(/\p{Cs}/u)
      }
      stream.flush()
    }),
  )
})

/** As SentencePiece models have it: bytes as tokens, marks for spaces, one of which goes at the start. */
const pieces = createTokenizer({
  tokenizer: {
    model: {
      type: 'BPE',
      merges: [],
      vocab: Object.fromEntries(
        [
          ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
          ...['\u2581', '\u2581the', 'é', '\u2581\u2581', '</s>', 'fox', '\u{1F600}'],
        ].map((token, id) => [token, id]),
      ),
    },
    added_tokens: [{ id: 260, content: '</s>', special: true }],
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '\u2581' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 1 },
      ],
    },
  },
})

test.each([
  ['byte-level', small],
  ['SentencePiece', pieces],
])('any ids stream to what they decode to (%s)', (_, t) => {
  const id = fc.oneof(
    fc.nat(t.vocabSize + 10),
    fc.integer({ min: 240, max: t.vocabSize }),
    fc.constantFrom(...t.specialIds),
  )
  fc.assert(
    fc.property(fc.array(id, { maxLength: 40 }), fc.boolean(), (ids, skipSpecialTokens) => {
      const stream = t.detokenizer({ skipSpecialTokens })
      expect(ids.map(id => stream.push(id)).join('') + stream.flush()).toBe(t.decode(ids, { skipSpecialTokens }))
    }),
    { numRuns: 1000 },
  )
})

test('text survives the way there and back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      expect(small.decode(small.encode(text))).toBe(text)
    }),
  )
})
