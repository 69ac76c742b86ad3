/**
 * The tokenizer in a GGUF file, as the tokenizer.json and tokenizer_config.json that it was once made from: what cuts
 * text has to know one form only.
 */
import { UnsupportedModelError } from '../../errors.ts'
import type { CheckpointContents } from '../checkpoint.ts'
import type { JsonObject } from '../json-file.ts'
import { quote } from '../quote.ts'
import type { Metadata } from './metadata.ts'
import { PRE_TOKENIZERS, type PreTokenizer } from './pre-tokenizers.ts'
import { mergesOf } from './sentencepiece.ts'
import { unigramParts } from './unigram.ts'
import { readVocabulary, specialIdWarnings, type Vocabulary } from './vocabulary.ts'
import { wordPieceParts, wordPieces } from './wordpiece.ts'

/** SentencePiece's sign for a space. */
const SPACE = '\u2581'

/** Throws CheckpointError, or UnsupportedModelError for a kind of tokenizer that is not known here. */
export function tokenizerOf(m: Metadata): Required<Pick<CheckpointContents, 'tokenizer' | 'tokenizerConfig'>> {
  const model = m.string('tokenizer.ggml.model')
  const vocabulary = readVocabulary(m)
  switch (model) {
    case 'gpt2': {
      const pre = preTokenizerOf(m)
      const addBos = m.optionalBool('tokenizer.ggml.add_bos_token') ?? pre.addBos ?? false
      return assemble(m, vocabulary, byteLevelParts(m, vocabulary, pre), addBos)
    }
    case 'llama': {
      const addBos = m.optionalBool('tokenizer.ggml.add_bos_token') ?? true
      return assemble(m, vocabulary, sentencePieceParts(m, vocabulary), addBos)
    }
    case 'gemma4': {
      const addBos = m.optionalBool('tokenizer.ggml.add_bos_token') ?? true
      return assemble(m, vocabulary, sentencePieceParts(m, vocabulary, m.strings('tokenizer.ggml.merges')), addBos)
    }
    case 'bert':
      return assemble(m, { ...vocabulary, tokens: wordPieces(vocabulary) }, wordPieceParts(m, vocabulary), false)
    case 't5': {
      // An encoder's files may not say what BERT's relatives always have.
      const addBos = m.optionalBool('tokenizer.ggml.add_bos_token') ?? m.architecture === 'bert'
      const addEos = m.optionalBool('tokenizer.ggml.add_eos_token') ?? true
      return assemble(m, vocabulary, unigramParts(m, vocabulary, { bos: addBos, eos: addEos }), addBos)
    }
    default:
      throw new UnsupportedModelError(
        `${m.file}: key "tokenizer.ggml.model" is ${quote(model)}; latentkit knows "gpt2" (byte-level BPE), "llama" ` +
          'and "gemma4" (SentencePiece), "t5" (its unigrams) and "bert" (WordPiece)',
      )
  }
}

/** One sentence each: what the file leaves to be guessed, or says of tokens that are not there. */
export function tokenizerWarnings(m: Metadata): string[] {
  const guessed = m.raw('tokenizer.ggml.model') === 'gpt2' && !m.raw('tokenizer.ggml.pre')
  return [
    ...(guessed
      ? [
          `${m.file} has no "tokenizer.ggml.pre": how a text is cut before its pieces are merged is a guess, and answers ` +
            'may be worse for it; get a newer conversion of the model',
        ]
      : []),
    ...specialIdWarnings(m),
  ]
}

function preTokenizerOf(m: Metadata): PreTokenizer {
  const name = m.optionalString('tokenizer.ggml.pre') || 'default'
  const found = Object.hasOwn(PRE_TOKENIZERS, name) ? PRE_TOKENIZERS[name] : undefined
  if (found) return found
  const known = Object.keys(PRE_TOKENIZERS).join(', ')
  throw new UnsupportedModelError(
    `${m.file}: key "tokenizer.ggml.pre" is ${quote(name)}, a cut of texts that latentkit does not know; it knows ${known}`,
  )
}

/** The parts of a tokenizer.json that depend on the kind. */
function byteLevelParts(m: Metadata, vocabulary: Vocabulary, pre: PreTokenizer): JsonObject {
  const merges = m.strings('tokenizer.ggml.merges')
  const wrong = merges.find(merge => merge.indexOf(' ') < 1)
  if (wrong !== undefined) m.fail('tokenizer.ggml.merges', `two tokens and a space in each, not ${quote(wrong)}`)
  return {
    normalizer: pre.normalizer ?? null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: pre.steps },
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      // Bytes that the vocabulary lacks vanish, whatever the file calls its unknown token.
      unk_token: null,
      byte_fallback: false,
      ignore_merges: pre.ignoreMerges ?? false,
      vocab: tokenIds(vocabulary),
      merges,
    },
  }
}

/** `merges`: where the file has them. Default: as the scores of its tokens say. */
function sentencePieceParts(m: Metadata, vocabulary: Vocabulary, merges?: readonly string[]): JsonObject {
  const prefix = m.optionalBool('tokenizer.ggml.add_space_prefix') ?? merges === undefined
  const marked = { type: 'Replace', pattern: { String: ' ' }, content: SPACE }
  const plain = [
    { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
  ]
  return {
    normalizer: prefix ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: SPACE }, marked] } : marked,
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: prefix ? [...plain, { type: 'Strip', content: ' ', start: 1, stop: 0 }] : plain,
    },
    model: {
      type: 'BPE',
      unk_token: vocabulary.tokens[vocabulary.roles.unk ?? 0],
      fuse_unk: true,
      byte_fallback: true,
      vocab: tokenIds(vocabulary),
      merges: merges ?? mergesOf(m, vocabulary),
    },
  }
}

/** Of tokens that come twice the first counts, as in llama.cpp. */
function tokenIds({ tokens }: Vocabulary): Record<string, number> {
  const ids = new Map<string, number>()
  for (const [i, token] of tokens.entries()) if (!ids.has(token)) ids.set(token, i)
  return Object.fromEntries(ids)
}

function assemble(m: Metadata, vocabulary: Vocabulary, parts: JsonObject, addBos: boolean) {
  const { tokens, roles, infill, added } = vocabulary
  const addEos = m.optionalBool('tokenizer.ggml.add_eos_token') ?? false
  const named = Object.entries(roles).map(([role, id]) => [`${role}_token`, tokens[id]])
  const chatTemplate = templatesOf(m)
  return {
    tokenizer: {
      // Sessions and blocks are known by a hash of this text, so keys keep their order.
      ...parts,
      added_tokens: [...added].map(([id, { special }]) => ({ id, content: tokens[id], special, normalized: false })),
      post_processor: parts.post_processor ?? around(vocabulary, addBos, addEos),
    },
    tokenizerConfig: {
      ...Object.fromEntries(named),
      ...Object.fromEntries(Object.entries(infill).map(([role, id]) => [`fim_${role}_token`, tokens[id]])),
      add_bos_token: addBos,
      add_eos_token: addEos,
      ...(chatTemplate !== undefined && { chat_template: chatTemplate }),
    },
  }
}

/** What stands before and behind a text. */
function around({ tokens, roles }: Vocabulary, addBos: boolean, addEos: boolean): JsonObject | null {
  const [bos, eos] = [addBos ? roles.bos : undefined, addEos ? roles.eos : undefined]
  const ids = [bos, eos].filter(id => id !== undefined)
  if (ids.length === 0) return null
  const token = (id: number | undefined) => (id === undefined ? [] : [{ SpecialToken: { id: tokens[id], type_id: 0 } }])
  const described = ids.map(id => [tokens[id] as string, { id: tokens[id], ids: [id], tokens: [tokens[id]] }] as const)
  return {
    type: 'TemplateProcessing',
    single: [...token(bos), { Sequence: { id: 'A', type_id: 0 } }, ...token(eos)],
    special_tokens: Object.fromEntries(described),
  }
}

/** One text, or the list that tokenizer_config.json has where there are several. */
function templatesOf(m: Metadata): string | JsonObject[] | undefined {
  const usual = m.optionalString('tokenizer.chat_template')
  const names = m.optionalStrings('tokenizer.chat_templates') ?? []
  if (names.length === 0) return usual
  const others = names.map(name => ({ name, template: m.string(`tokenizer.chat_template.${name}`) }))
  return usual === undefined ? others : [{ name: 'default', template: usual }, ...others]
}
