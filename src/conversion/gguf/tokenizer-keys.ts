/** A tokenizer.json and what stands beside it as llama.cpp's keys. */
import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import { TOKEN } from '../../checkpoint/gguf/vocabulary.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { ModelConfig } from '../../nn/config.ts'
import { createTokenizer, type Tokenizer } from '../../tokenizer/tokenizer.ts'
import { preTokenizerName } from './pre-tokenizer-name.ts'
import { scoresOf, spacePrefix } from './sentencepiece.ts'

interface AddedToken {
  readonly id: number
  readonly content: string
  readonly special?: boolean
}

/** Throws UnsupportedModelError for tokenizers that llama.cpp has no form for, TokenizerError for damaged files. */
export function addTokenizerKeys(keys: GgufKeys, checkpoint: Checkpoint, config: ModelConfig): void {
  const { tokenizer: json, tokenizerConfig, chatTemplate, name } = checkpoint
  if (!json) return
  const tokenizer = createTokenizer({ tokenizer: json, config: tokenizerConfig, chatTemplate, folder: `${name}/` })
  const model = json.model as JsonObject
  if (model.type !== 'BPE' && model.merges === undefined) {
    throw new UnsupportedModelError(
      `${name}: a tokenizer of kind ${JSON.stringify(model.type)} is not converted; latentkit writes BPE`,
    )
  }
  const spm = isSentencePiece(json)
  const { tokens, types } = vocabulary(json, config.vocabSize, spm, tokenizer)
  keys.string('tokenizer.ggml.model', spm ? 'llama' : 'gpt2')
  keys.string('tokenizer.ggml.pre', spm ? 'default' : preTokenizerName(json))
  keys.strings('tokenizer.ggml.tokens', tokens)
  keys.numbers('tokenizer.ggml.token_type', 'i32', types)
  if (spm) {
    keys.numbers('tokenizer.ggml.scores', 'f32', scoresOf(mergesOf(model), tokens))
    keys.bool('tokenizer.ggml.add_space_prefix', spacePrefix(json))
  } else {
    keys.strings(
      'tokenizer.ggml.merges',
      mergesOf(model).map(pair => pair.join(' ')),
    )
  }
  addSpecialIds(keys, tokenizer, checkpoint, config)
  addTemplates(keys, tokenizer)
}

/** Its spaces are written as U+2581, and bytes that no token has as <0x0A>. */
function isSentencePiece(json: JsonObject): boolean {
  return (json.model as JsonObject).byte_fallback === true
}

function mergesOf({ merges }: JsonObject): [string, string][] {
  return (merges as (string | [string, string])[]).map(merge => {
    if (typeof merge !== 'string') return merge
    const space = merge.indexOf(' ')
    return [merge.slice(0, space), merge.slice(space + 1)]
  })
}

/** One token for every row of the embedding: rows beyond the tokenizer get names that no text has. */
function vocabulary(json: JsonObject, rows: number, spm: boolean, tokenizer: Tokenizer) {
  const tokens = Array.from({ length: rows }, (_, id) => `[PAD${id}]`)
  const types = new Array<number>(rows).fill(TOKEN.unused)
  const put = (id: number, token: string, type: number) => {
    if (id >= rows) {
      throw new UnsupportedModelError(
        `The tokenizer has a token ${JSON.stringify(token)} with id ${id}, but the embedding has ${rows} rows`,
      )
    }
    tokens[id] = token
    types[id] = type
  }
  for (const [token, id] of Object.entries((json.model as JsonObject).vocab as Record<string, number>)) {
    put(id, token, spm && /^<0x[0-9A-F]{2}>$/.test(token) ? TOKEN.byte : TOKEN.normal)
  }
  for (const { id, content, special } of (json.added_tokens ?? []) as AddedToken[]) {
    put(id, content, special || tokenizer.isSpecial(id) ? TOKEN.control : TOKEN.userDefined)
  }
  if (spm && tokenizer.unkId !== undefined) types[tokenizer.unkId] = TOKEN.unknown
  return { tokens, types }
}

/** Roles beside those that the tokenizer knows by id. llama.cpp spells separator so. */
const OTHER_ROLES = { sep: 'seperator', cls: 'cls', mask: 'mask' } as const

function addSpecialIds(keys: GgufKeys, tokenizer: Tokenizer, checkpoint: Checkpoint, config: ModelConfig): void {
  const ends = endIds(checkpoint, config)
  const eos = tokenizer.eosId ?? ends[0]
  const bos = tokenizer.bosId ?? config.bosTokenId ?? undefined
  const id = (role: string, value: number | undefined) => keys.u32(`tokenizer.ggml.${role}_token_id`, value)
  id('bos', bos)
  id('eos', eos)
  const [eot, eom] = ends.filter(end => end !== eos)
  id('eot', eot)
  id('eom', eom)
  id('unknown', tokenizer.unkId)
  id('padding', tokenizer.padId)
  for (const [role, name] of Object.entries(OTHER_ROLES)) {
    const token = checkpoint.tokenizerConfig?.[`${role}_token`]
    const text = typeof token === 'string' ? token : (token as JsonObject | undefined)?.content
    if (typeof text === 'string') id(name, tokenizer.tokenToId(text))
  }
  keys.bool('tokenizer.ggml.add_bos_token', tokenizer.startsWithBos)
  keys.bool('tokenizer.ggml.add_eos_token', eos !== undefined && tokenizer.encode('a').at(-1) === eos)
}

/** config.json's, and those that only generation_config.json names. */
function endIds({ generationConfig }: Checkpoint, { eosTokenIds }: ModelConfig): number[] {
  const more = [generationConfig?.eos_token_id ?? []].flat().filter(id => typeof id === 'number')
  return [...new Set([...eosTokenIds, ...more])]
}

function addTemplates(keys: GgufKeys, tokenizer: Tokenizer): void {
  const names = tokenizer.chatTemplateNames.filter(name => name !== 'default')
  keys.string('tokenizer.chat_template', tokenizer.chatTemplate())
  if (names.length === 0) return
  keys.strings('tokenizer.chat_templates', names)
  for (const name of names) keys.string(`tokenizer.chat_template.${name}`, tokenizer.chatTemplate(name))
}
