/** BERT's tokenizer in a GGUF file: a vocabulary whose words begin with a mark, where BERT marks what continues a word. */
import type { JsonObject } from '../json-file.ts'
import type { Metadata } from './metadata.ts'
import type { Vocabulary } from './vocabulary.ts'

const WORD = '\u2581'
const CONTINUES = '##'
/** As they are in the vocabulary; older converters leave all of them so. */
const BRACKETED = /^\[.*\]$/s

/** The parts of a tokenizer.json. */
export function wordPieceParts(m: Metadata, vocabulary: Vocabulary): JsonObject {
  const { roles, added } = vocabulary
  const tokens = wordPieces(vocabulary)
  const name = (role: 'unk' | 'cls' | 'sep', key: string) => {
    const id = roles[role] ?? (role === 'cls' ? roles.bos : role === 'sep' ? roles.eos : undefined)
    return id === undefined ? m.missing(`tokenizer.ggml.${key}_token_id`, 'the id of a token') : (tokens[id] as string)
  }
  const [unk, cls, sep] = [name('unk', 'unknown'), name('cls', 'cls'), name('sep', 'seperator')]
  const ids: Record<string, number> = {}
  for (const [i, token] of tokens.entries()) ids[token] ??= i
  const plain = tokens.filter((token, i) => !added.has(i) && !BRACKETED.test(token))
  return {
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      // Older files do not say: a vocabulary with capital letters is one that needs them.
      lowercase: m.optionalBool('tokenizer.ggml.normalizer.lowercase') ?? !plain.some(token => /[A-Z]/.test(token)),
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'WordPiece', prefix: CONTINUES, cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: unk,
      continuing_subword_prefix: CONTINUES,
      max_input_chars_per_word: 100,
      vocab: ids,
    },
    post_processor: aroundTexts([cls, ids[cls] as number], [sep, ids[sep] as number]),
  }
}

/** The vocabulary as BERT writes it. */
export function wordPieces({ tokens, added }: Vocabulary): string[] {
  return tokens.map((token, i) => {
    if (added.has(i) || BRACKETED.test(token)) return token
    return token.startsWith(WORD) ? token.slice(WORD.length) : CONTINUES + token
  })
}

type Token = readonly [text: string, id: number]

function aroundTexts(cls: Token, sep: Token): JsonObject {
  const token = ([id]: Token, type_id: number) => ({ SpecialToken: { id, type_id } })
  const text = (id: 'A' | 'B', type_id: number) => ({ Sequence: { id, type_id } })
  const described = [cls, sep].map(([id, number]) => [id, { id, ids: [number], tokens: [id] }])
  const single = [token(cls, 0), text('A', 0), token(sep, 0)]
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, text('B', 1), token(sep, 1)],
    special_tokens: Object.fromEntries(described),
  }
}
