/** tokenizer.json with the structures that attacks are made of: chains that grow, expressions that backtrack, long tokens. */
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import type { Rng } from '../support/rng.ts'
import type { FuzzTarget } from './fuzzer.ts'
import { pick } from './mutate.ts'
import { mutateJson } from './mutate-json.ts'

const encode = (value: object) => new TextEncoder().encode(JSON.stringify(value))

const letters = ['<unk>', ...'abc !\n', 'aa', 'ab', 'ä', '▁', '<0xF0>']
const vocab = Object.fromEntries(letters.map((token, id) => [token, id]))
const TOKENS = [
  { id: 20, content: '<s>', special: true, normalized: false },
  { id: 21, content: 'aab', special: false, normalized: true, lstrip: true, rstrip: true },
]
const MODELS = [
  { type: 'BPE', vocab, merges: ['a a', 'a b'], unk_token: '<unk>', fuse_unk: true, byte_fallback: true },
  { type: 'WordPiece', vocab, unk_token: '<unk>', continuing_subword_prefix: '', max_input_chars_per_word: 1000 },
  { type: 'Unigram', vocab: letters.map(token => [token, -token.length]), unk_id: 0 },
]

const NORMALIZERS = ['Lowercase', 'NFC', 'NFKD', 'StripAccents', 'Replace', 'Prepend', 'Strip', 'BertNormalizer']
const CUTS = [
  'ByteLevel',
  'Metaspace',
  'Split',
  'Digits',
  'Punctuation',
  'Whitespace',
  'BertPreTokenizer',
  'FixedLength',
]
const DECODERS = ['Replace', 'Metaspace', 'WordPiece', 'BPEDecoder', 'Strip', 'ByteFallback', 'ByteLevel', 'Fuse']
const BEHAVIORS = ['Removed', 'Isolated', 'Contiguous', 'MergedWithPrevious', 'MergedWithNext']

/** Loops in loops, choices that overlap, and looks around. */
function expression(rng: Rng, depth: number): string {
  const kind = rng.below(depth > 0 ? 9 : 2)
  const inner = () => expression(rng, depth - 1)
  if (kind < 2) return pick(rng, ['a', 'b', '.', '\\s', '\\w', '[^a]', '\\p{L}', 'aa', '$', '^', '\\b', ''])
  if (kind < 4) return inner() + inner()
  if (kind === 4) return `(${inner()}|${inner()})`
  if (kind === 5) return `(${pick(rng, ['?=', '?!', '?<=', '?<!', '?:', '?>'])}${inner()})`
  return `(${inner()})${pick(rng, ['*', '+', '?', '+?', '*+', '{2,}', '{1,40}'])}`
}

function part(rng: Rng, types: readonly string[]): object {
  const pattern = rng.uniform() < 0.3 ? { String: pick(rng, ['a', ' ', '', 'aa']) } : { Regex: expression(rng, 4) }
  return {
    ...{ type: pick(rng, types), pattern, behavior: pick(rng, BEHAVIORS), invert: rng.uniform() < 0.3 },
    ...{ content: pick(rng, ['', 'aa', ' ', 'a'.repeat(2000)]), prepend: pick(rng, ['a', '▁'.repeat(2000)]) },
    ...{ replacement: pick(rng, ['▁', '  ', '']), prefix: '', suffix: 'a', cleanup: false, split: rng.uniform() < 0.5 },
    ...{ start: rng.below(3), stop: rng.below(3), length: 1 + rng.below(9), strip_left: true, strip_right: true },
    ...{ add_prefix_space: true, use_regex: rng.uniform() < 0.5, trim_offsets: true, individual_digits: true },
  }
}

function chain(rng: Rng, types: readonly string[], key: string): object {
  const one = part(rng, types)
  if (rng.uniform() < 0.4) return { type: 'Sequence', [key]: Array.from({ length: 1 + rng.below(40) }, () => one) }
  return { type: 'Sequence', [key]: Array.from({ length: 1 + rng.below(3) }, () => part(rng, types)) }
}

function attack(rng: Rng): Uint8Array {
  const added_tokens = Array.from({ length: rng.below(30) }, (_, i) => ({
    ...{ id: 30 + i, special: rng.uniform() < 0.5, normalized: rng.uniform() < 0.5 },
    ...{ content: `${pick(rng, ['a', ' ', '<'])}${'a'.repeat(rng.below(300))}${pick(rng, ['', 'b', '>'])}` },
    ...{ lstrip: rng.uniform() < 0.3, rstrip: rng.uniform() < 0.3, single_word: rng.uniform() < 0.2 },
  }))
  return encode({
    ...{ model: pick(rng, MODELS), added_tokens: [...TOKENS, ...added_tokens] },
    normalizer: rng.uniform() < 0.5 ? chain(rng, NORMALIZERS, 'normalizers') : null,
    pre_tokenizer: rng.uniform() < 0.5 ? chain(rng, CUTS, 'pretokenizers') : null,
    decoder: rng.uniform() < 0.5 ? chain(rng, DECODERS, 'decoders') : null,
  })
}

const TEXTS = [
  'ab <s> a!\n',
  'a'.repeat(400),
  `${' '.repeat(300)}aab${' '.repeat(300)}`,
  `${'a'.repeat(60)}!`,
  '🙂ä'.repeat(50),
]

export const TOKENIZER_TARGET: FuzzTarget = {
  name: 'tokenizer',
  seeds: MODELS.map(model => encode({ model, added_tokens: TOKENS })),
  mutate: (rng, pool) => (rng.uniform() < 0.6 ? attack(rng) : mutateJson(rng, pool)),
  async run(input) {
    let tokenizer: unknown
    try {
      tokenizer = JSON.parse(Buffer.from(input).toString('utf8'))
    } catch {
      return
    }
    const made = createTokenizer({ tokenizer, folder: 'fuzzed/' })
    for (const text of TEXTS) {
      const ids = made.encode(text)
      if (!ids.every(Number.isInteger)) throw new Error(`ids ${ids}`)
      const streamed = made.detokenizer()
      const whole = made.decode(ids)
      if (ids.map(id => streamed.push(id)).join('') + streamed.flush() !== whole)
        throw new Error('streamed text differs')
    }
  },
}
