/** `tokenizer.ggml.pre`: which of the cuts that llama.cpp knows a tokenizer.json makes. */
import { PRE_TOKENIZERS, type PreTokenizer } from '../../checkpoint/gguf/pre-tokenizers.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import { UnsupportedModelError } from '../../errors.ts'
import { BYTE_TO_CHAR } from '../../tokenizer/byte-level.ts'
import { createTokenizer } from '../../tokenizer/tokenizer.ts'
import { flat } from './sentencepiece.ts'

/** By what its parts say, else by what it does to texts on which the cuts differ. */
export function preTokenizerName(json: JsonObject): string {
  const kinds = Object.entries(PRE_TOKENIZERS).filter(([name]) => name !== 'default')
  const said = sayingOf(json)
  const found = kinds.find(([, kind]) => sayingOf(partsOf(kind, json)) === said) ?? sameCuts(kinds, json)
  if (found) return found[0]
  throw new UnsupportedModelError(
    "The tokenizer cuts texts in a way that llama.cpp has no name for: tokenizer.json's pre_tokenizer is none of " +
      kinds.map(([name]) => name).join(', '),
  )
}

function partsOf(kind: PreTokenizer, json: JsonObject): JsonObject {
  return {
    ...json,
    normalizer: kind.normalizer ?? null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: kind.steps },
    model: { ...(json.model as JsonObject), ignore_merges: kind.ignoreMerges ?? false },
  }
}

/** The same for components that do the same and are written differently. */
function sayingOf({ normalizer, pre_tokenizer: pre, model }: JsonObject): string {
  const steps = flat(pre, 'pretokenizers').map(step => {
    switch (step.type) {
      case 'ByteLevel':
        return ['bytes', step.use_regex ?? true, step.add_prefix_space ?? true]
      case 'Split':
        return ['split', plainPattern((step.pattern as JsonObject).Regex ?? step.pattern)]
      case 'Digits':
        return ['split', step.individual_digits ? '\\p{N}' : '\\p{N}+']
      default:
        return step
    }
  })
  const normalizers = flat(normalizer, 'normalizers').map(part => part.type)
  return JSON.stringify([normalizers, steps, (model as JsonObject).ignore_merges ?? false])
}

/** Line breaks as escapes, no group around a single class. */
function plainPattern(pattern: unknown): unknown {
  if (typeof pattern !== 'string') return pattern
  return pattern
    .replaceAll('\r', '\\r')
    .replaceAll('\n', '\\n')
    .replace(/\(\?:(\[[^[\]]*\])\)/g, '$1')
}

/** Words, capitals, digits, punctuation, spaces, line breaks, scripts: every border that one of the cuts has. */
const TEXTS = [
  "I'll say 12345 things, DON'T you? He'D WE'VE x's'S  two   spaces\n\nlines \r\n\t tab ",
  'camelCaseHTTPServer naïve Ünïcödé ΑΒΓ абв日本語テスト한국어 中文，标点。１２３ ½ ² Ⅷ',
  'a+b=c/d\\e $100.00 #tag @x !!! ... --- (foo)[bar]{baz} <|x|> `q` ~ ^_^ “quoted” …\n/path//x\n',
  '3.14159 1,234,567 v1.2.3-rc4 user_name@host.org https://a.b/c?d=e&f=g %20 e\u0301 🎉👩‍👩‍👧 \u00a0nbsp',
]

/** Cuts are seen in a vocabulary in which any two bytes join, unless there is a cut between them. */
function sameCuts(
  kinds: readonly (readonly [string, PreTokenizer])[],
  json: JsonObject,
): readonly [string, PreTokenizer] | undefined {
  const bytes = [...new Set(TEXTS.flatMap(text => [...new TextEncoder().encode(text)]))].map(b => BYTE_TO_CHAR[b]!)
  const merges = bytes.flatMap(left => bytes.map(right => [left, right] as const))
  const tokens = [...BYTE_TO_CHAR, ...merges.map(pair => pair.join(''))]
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
  const ignoresMerges = (model: unknown) => (model as JsonObject).ignore_merges ?? false
  const cut = ({ normalizer, pre_tokenizer, decoder }: JsonObject): string => {
    const model = { type: 'BPE', vocab, merges, unk_token: null, byte_fallback: false }
    const made = createTokenizer({ tokenizer: { normalizer, pre_tokenizer, decoder, model, added_tokens: [] } })
    return JSON.stringify(TEXTS.map(text => made.encode(text, { addSpecialTokens: false })))
  }
  const own = cut(json)
  return kinds.find(([, kind]) => {
    const parts = partsOf(kind, json)
    return ignoresMerges(parts.model) === ignoresMerges(json.model) && cut(parts) === own
  })
}
