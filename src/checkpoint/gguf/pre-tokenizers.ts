/**
 * `tokenizer.ggml.pre`: how a text is cut before its pieces are merged, as the tokenizer.json of the models concerned
 * says it. The key's values are llama.cpp's; several stand for the same cut.
 */
import type { JsonObject } from '../json-file.ts'

export interface PreTokenizer {
  /** In the order in which they cut. */
  readonly steps: readonly JsonObject[]
  readonly normalizer?: JsonObject
  /** A piece that is a token as it stands is not merged. Default false. */
  readonly ignoreMerges?: boolean
  /** Whether a text begins with a begin-of-text token where the file does not say. Default false. */
  readonly addBos?: boolean
}

/** What each cut leaves whole goes to the next. */
const split = (pattern: string): JsonObject => ({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated' })
const byteLevel = (useRegex: boolean): JsonObject => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  use_regex: useRegex,
})

/** GPT-2's own cut is built into the byte-level step. */
const GPT2 = byteLevel(true)
const BYTES = byteLevel(false)

const CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const WORD = '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+'
const SPACES = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const SYMBOLS = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*'

/** cl100k and its like: `digits` at once. */
const cl100k = (digits: string) => split(`${CONTRACTION}|${WORD}|${digits}|${SYMBOLS}|${SPACES}`)

/** o200k and its like: words are cut where capitals begin. */
function o200k(digits: string, contraction: string, newlines: string, except = ''): string {
  const upper = `(?:${except}[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}])`
  const lower = `(?:${except}[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}])`
  const before = '[^\\r\\n\\p{L}\\p{N}]?'
  const words = `${before}${upper}*${lower}+${contraction}|${before}${upper}+${lower}*${contraction}`
  return `${words}|${digits}| ?[^\\s\\p{L}\\p{N}]+${newlines}|${SPACES}`
}

/** DeepSeek's first vocabulary lists the letters that have a case; as escapes those that Unicode's NFC would replace. */
const CASED =
  'A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝ\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe' +
  '\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc' +
  '\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139ℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃'
const CJK_AND_HANGUL = '[一-龥ࠀ-一가-퟿]+'
const CJK_AND_KANA = '[一-龥\u3040-ゟ゠-ヿ]+'

const ASCII_PUNCTUATION = '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]'

const gpt2: PreTokenizer = { steps: [GPT2] }
const digitsThenGpt2: PreTokenizer = { steps: [split('\\p{N}'), GPT2] }
const llama3: PreTokenizer = { steps: [cl100k('\\p{N}{1,3}'), BYTES], ignoreMerges: true, addBos: true }
const glm4: PreTokenizer = { steps: [cl100k('\\p{N}{1,3}'), BYTES] }
const qwen2: PreTokenizer = { steps: [cl100k('\\p{N}'), BYTES], normalizer: { type: 'NFC' } }
/** Marks go with the letters that they are written on. */
const qwen35: PreTokenizer = {
  steps: [
    split(`${CONTRACTION}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${SPACES}`),
    BYTES,
  ],
  normalizer: { type: 'NFC' },
}
/** Each end of a line is by itself. */
const bailing: PreTokenizer = {
  steps: [split(`${CONTRACTION}|${WORD}|\\p{N}|${SYMBOLS}|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+`), BYTES],
}
const deepseekLlm: PreTokenizer = {
  steps: [
    split('[\\r\\n]'),
    split(`\\s?[${CASED}]+`),
    split('\\s?[!-/:-~！-／：-～‘-‟\u3000-。]+'),
    split('\\s+$'),
    split(CJK_AND_HANGUL),
    split('\\p{N}'),
    BYTES,
  ],
}
const deepseekCoder: PreTokenizer = {
  steps: [split('[\\r\\n]'), split('\\s?\\p{L}+'), split('\\s?\\p{P}+'), split(CJK_AND_HANGUL), split('\\p{N}'), BYTES],
}
const deepseekV3: PreTokenizer = {
  steps: [
    split('\\p{N}{1,3}'),
    split(CJK_AND_KANA),
    split(
      `${ASCII_PUNCTUATION}[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|${SPACES}`,
    ),
    BYTES,
  ],
}
const youtu: PreTokenizer = {
  steps: [
    split(`[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|${CJK_AND_KANA}`),
    split(o200k('\\p{N}', `${CONTRACTION}?`, '[\\r\\n/]*')),
    BYTES,
  ],
  ignoreMerges: true,
}
/** The published pattern takes the Han characters out of both classes of letters. */
const kimiK2: PreTokenizer = {
  steps: [
    split(`\\p{Script=Han}+|${o200k('\\p{N}{1,3}', `${CONTRACTION}?`, '[\\r\\n]*', '(?!\\p{Script=Han})')}`),
    BYTES,
  ],
}
const gpt4o: PreTokenizer = { steps: [split(o200k('\\p{N}{1,3}', `${CONTRACTION}?`, '[\\r\\n/]*')), BYTES] }
const tekken: PreTokenizer = {
  steps: [split(o200k('\\p{N}', '', '[\\r\\n/]*')), BYTES],
  ignoreMerges: true,
  addBos: true,
}
const falcon: PreTokenizer = {
  steps: [split('[\\p{P}$+<=>^`|~]+'), GPT2, split('\\p{N}+'), split('[0-9][0-9][0-9]')],
}
/** For files made before the key existed: what llama.cpp does for want of something better. */
const fallback: PreTokenizer = {
  steps: [split('[\\p{P}$+<=>^~|]+'), GPT2, split('\\p{N}+'), split('[0-9][0-9][0-9]')],
}

export const PRE_TOKENIZERS: Readonly<Record<string, PreTokenizer>> = {
  default: fallback,
  'gpt-2': gpt2,
  olmo: gpt2,
  mpt: gpt2,
  smollm: digitsThenGpt2,
  starcoder: digitsThenGpt2,
  refact: digitsThenGpt2,
  'command-r': digitsThenGpt2,
  codeshell: digitsThenGpt2,
  exaone: digitsThenGpt2,
  'minerva-7b': digitsThenGpt2,
  'llama-bpe': llama3,
  'llama-v3': llama3,
  llama3,
  falcon3: llama3,
  lfm2: llama3,
  pixtral: llama3,
  'smaug-bpe': glm4,
  dbrx: glm4,
  glm4,
  'chatglm-bpe': glm4,
  qwen2,
  'deepseek-r1-qwen': qwen2,
  megrez: qwen2,
  qwen35,
  bailingmoe: bailing,
  bailingmoe2: bailing,
  stablelm2: { steps: qwen2.steps },
  'deepseek-llm': deepseekLlm,
  'deepseek-coder': deepseekCoder,
  'deepseek-v3': deepseekV3,
  'hunyuan-dense': deepseekV3,
  youtu,
  'kimi-k2': kimiK2,
  'gpt-4o': gpt4o,
  tekken,
  falcon,
}
