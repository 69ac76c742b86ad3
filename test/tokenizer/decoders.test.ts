import { describe, expect, test } from 'vitest'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'

/** A tokenizer that only decodes: these tokens have the ids 0, 1, … */
function decoding(decoder: object | null, tokens: string[], added: string[] = []) {
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
  const added_tokens = added.map(content => ({ id: vocab[content], content, special: false }))
  return createTokenizer({ tokenizer: { model: { type: 'BPE', vocab, merges: [] }, decoder, added_tokens } })
}

const sentencePiece = {
  type: 'Sequence',
  decoders: [
    { type: 'Replace', pattern: { String: '\u2581' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    { type: 'Strip', content: ' ', start: 1, stop: 0 },
  ],
}

/**
 * The expected texts are those of the Rust library's decoders: from its own unit tests where it has one, else worked
 * out by hand from its rules.
 */
const cases: [string, object | null, string[], string][] = [
  ['none: spaces between', null, ['Hey', 'friend', '!'], 'Hey friend !'],
  ['ByteLevel', { type: 'ByteLevel' }, ['Hey', 'Ġfriend', 'ĊĠ', 'Ã©'], 'Hey friend\n é'],
  ['ByteLevel, outside its alphabet', { type: 'ByteLevel' }, ['你', 'Ġa'], '你 a'],
  [
    'SentencePiece: one leading space goes',
    sentencePiece,
    ['\u2581\u2581Hey', '\u2581you', '<0x0A>', '!'],
    ' Hey you\n!',
  ],
  ['SentencePiece: bytes make characters', sentencePiece, ['<0xE5>', '<0x8f>', '<0xAB>', '\u2581a'], '叫 a'],
  ['SentencePiece: a space by bytes goes too', sentencePiece, ['<0x20>', 'a'], 'a'],
  ['Metaspace: the first space was added', { type: 'Metaspace' }, ['\u2581Hey', '\u2581friend!'], 'Hey friend!'],
  ['Metaspace: all marks of the first token', { type: 'Metaspace' }, ['\u2581\u2581', '\u2581a'], ' a'],
  ['Metaspace never', { type: 'Metaspace', prepend_scheme: 'never' }, ['\u2581Hey', '\u2581you'], ' Hey you'],
  ['Metaspace, old spelling', { type: 'Metaspace', add_prefix_space: false, replacement: '_' }, ['_Hey', '_'], ' Hey '],
  [
    'WordPiece',
    { type: 'WordPiece', prefix: '##', cleanup: false },
    ['##uelo', 'Ara', '##új', '##o', 'No', '##guera'],
    '##uelo Araújo Noguera',
  ],
  ['WordPiece, tidied', { type: 'WordPiece', prefix: '##' }, ['it', "'s", 'good', '.'], "it's good."],
  ['BPEDecoder', { type: 'BPEDecoder', suffix: '</w>' }, ['hel', 'lo</w>', 'you</w>'], 'hello you'],
  ['Strip per token', { type: 'Strip', content: 'H', start: 1, stop: 0 }, ['Hey', ' friend!', 'HHH'], 'ey friend!HH'],
  ['Strip at the end per token', { type: 'Strip', content: 'y', start: 0, stop: 1 }, ['Hey', ' friend!'], 'He friend!'],
  [
    'Strip both ends of the whole',
    { type: 'Sequence', decoders: [{ type: 'Fuse' }, { type: 'Strip', content: '-', start: 2, stop: 2 }] },
    ['-', '--a', '-', '-b-', '-', '-'],
    '-a--b-',
  ],
  [
    'Strip more than there is',
    { type: 'Sequence', decoders: [{ type: 'Fuse' }, { type: 'Strip', content: ' ', start: 9, stop: 9 }] },
    [' ', '  '],
    '',
  ],
  [
    'Replace by expression',
    { type: 'Replace', pattern: { Regex: '[0-9]+' }, content: '$&#' },
    ['a12', '3b'],
    'a$&#$&#b',
  ],
]

describe('whole and streamed', () => {
  test.each(cases)('%s', (_, decoder, tokens, text) => {
    const vocabulary = [...new Set(tokens)]
    const t = decoding(decoder, vocabulary)
    const ids = tokens.map(token => vocabulary.indexOf(token))
    expect(t.decode(ids)).toBe(text)
    const stream = t.detokenizer()
    for (let run = 0; run < 2; run++) expect(ids.map(id => stream.push(id)).join('') + stream.flush()).toBe(text)
  })
})

test('added tokens are written as they are', () => {
  const t = decoding({ type: 'ByteLevel' }, ['é', 'Ġx', 'Ã©'], ['é', 'Ġx'])
  expect(t.decode([0, 1, 2])).toBe('éĠxé')
})

test('an end-of-word space is held until a token follows', () => {
  const t = decoding({ type: 'BPEDecoder', suffix: '</w>' }, ['a</w>', 'b</w>'])
  const stream = t.detokenizer()
  expect([stream.push(0), stream.push(1), stream.flush()]).toEqual(['a', ' b', ''])
  expect(t.tokenBytes(0)).toEqual(Uint8Array.of(97, 32))
})

test('a byte-order mark is a character', () => {
  const t = decoding({ type: 'ByteLevel' }, ['ï»¿', 'a', 'ï', '»', '¿'])
  expect(t.decode([0, 1, 0])).toBe('\uFEFFa\uFEFF')
  const stream = t.detokenizer()
  expect([2, 3, 4, 1, 0].map(id => stream.push(id))).toEqual(['', '', '\uFEFF', 'a', '\uFEFF'])
})

test('what would need the whole text is refused', () => {
  const late = {
    type: 'Sequence',
    decoders: [{ type: 'Fuse' }, { type: 'Replace', pattern: { String: 'a' }, content: 'b' }],
  }
  expect(() => decoding(late, ['a'])).toThrow('"decoder" applies Replace to the whole text; expected at most one Strip')
})
