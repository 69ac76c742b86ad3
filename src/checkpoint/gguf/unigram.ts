/** SentencePiece's unigram tokenizer in a GGUF file (`tokenizer.ggml.model` "t5"), as XLM-RoBERTa has it. */
import type { JsonObject } from '../json-file.ts'
import type { Metadata } from './metadata.ts'
import { TOKEN, type Vocabulary } from './vocabulary.ts'

const SPACE = '\u2581'

/** What stands before and behind a text. */
interface Around {
  readonly bos: boolean
  readonly eos: boolean
}

/** The parts of a tokenizer.json. */
export function unigramParts(m: Metadata, vocabulary: Vocabulary, around: Around): JsonObject {
  const { tokens, types, roles } = vocabulary
  const scores =
    m.optionalNumbers('tokenizer.ggml.scores', { length: tokens.length }) ??
    m.missing('tokenizer.ggml.scores', 'an array of numbers')
  const unknown = roles.unk ?? types.indexOf(TOKEN.unknown)
  if (unknown < 0) m.missing('tokenizer.ggml.unknown_token_id', 'the id of a token')
  const prefix = m.optionalBool('tokenizer.ggml.add_space_prefix') ?? true
  const removes = m.optionalBool('tokenizer.ggml.remove_extra_whitespaces') ?? true
  const words = { type: 'Metaspace', replacement: SPACE, prepend_scheme: prefix ? 'always' : 'never', split: true }
  return {
    normalizer: normalizerOf(m),
    pre_tokenizer:
      prefix && removes ? { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, words] } : words,
    decoder: words,
    model: {
      type: 'Unigram',
      unk_id: unknown,
      // Rows that fill the vocabulary up have names and scores of their own, and are no tokens of any text.
      vocab: tokens.map((token, i) => (types[i] === TOKEN.unused ? ['', 0] : [token, scores[i]])),
      byte_fallback: false,
    },
    post_processor: aroundTexts(vocabulary, around),
  }
}

/** As XLM-RoBERTa has it: of two texts the second begins with the end of a text, too. */
function aroundTexts({ tokens, roles }: Vocabulary, around: Around): JsonObject | null {
  const [bos, eos] = [around.bos ? roles.bos : undefined, around.eos ? roles.eos : undefined]
  const ids = [bos, eos].filter(id => id !== undefined)
  if (ids.length === 0) return null
  const token = (id: number | undefined) => (id === undefined ? [] : [{ SpecialToken: { id: tokens[id], type_id: 0 } }])
  const text = (id: 'A' | 'B') => ({ Sequence: { id, type_id: 0 } })
  const single = [...token(bos), text('A'), ...token(eos)]
  const described = ids.map(id => [tokens[id] as string, { id: tokens[id], ids: [id], tokens: [tokens[id]] }] as const)
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, ...token(eos), text('B'), ...token(eos)],
    special_tokens: Object.fromEntries(described),
  }
}

function normalizerOf(m: Metadata): JsonObject | null {
  const key = 'tokenizer.ggml.precompiled_charsmap'
  const bytes = m.optionalInts(key, { min: -128, max: 255 })
  if (bytes === undefined || bytes.length === 0) return null
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte & 255)
  return { type: 'Precompiled', precompiled_charsmap: btoa(text) }
}
