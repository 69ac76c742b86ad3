import { describe, TokenizerError } from './errors.ts'
import { isObject } from './tokenizer-json.ts'

/** The contents of a tokenizer_config.json. Tokens are texts, or ids if the file has only an id. */
export interface TokenizerConfig {
  /** By role without `_token`: bos, eos, pad, unk, cls, sep, mask. */
  readonly named: ReadonlyMap<string, string | number>
  /** Marks of a gap by role, `fim_pre_token` and others: GGUF files name them. */
  readonly infill: ReadonlyMap<string, string | number>
  readonly additional: readonly string[]
  /** `add_bos_token`; undefined if absent. */
  readonly addBos: boolean | undefined
  /** By name; the main one is 'default'. */
  readonly templates: ReadonlyMap<string, string>
}

const ROLES = ['bos', 'eos', 'pad', 'unk', 'cls', 'sep', 'mask']
const INFILL_ROLES = ['pre', 'suf', 'mid', 'pad', 'rep', 'sep']

/**
 * Reads the fields of a tokenizer_config.json that latentkit uses; each may be absent or null. A chat_template.jinja, given
 * as `chatTemplate`, replaces the default template: if both exist, the file is the newer form.
 */
export function readTokenizerConfig(raw: unknown, file: string, chatTemplate?: string): TokenizerConfig {
  const config = raw ?? {}
  if (!isObject(config)) throw new TokenizerError(`${file} is ${describe(raw)}; expected a JSON object`)
  const named = new Map<string, string | number>()
  for (const role of ROLES) {
    const token = readToken(config[`${role}_token`], `${role}_token`, file) ?? readId(config[`${role}_token_id`])
    if (token !== undefined) named.set(role, token)
  }
  const infill = new Map<string, string | number>()
  for (const role of INFILL_ROLES) {
    const token = readToken(config[`fim_${role}_token`], `fim_${role}_token`, file)
    if (token !== undefined) infill.set(role, token)
  }
  const templates = readTemplates(config.chat_template, file)
  if (chatTemplate !== undefined) templates.set('default', chatTemplate)
  return {
    named,
    infill,
    additional: readAdditional(config.additional_special_tokens),
    addBos: typeof config.add_bos_token === 'boolean' ? config.add_bos_token : undefined,
    templates,
  }
}

/** `"<s>"`, `{"content": "<s>"}` or an id. */
function readToken(raw: unknown, key: string, file: string): string | number | undefined {
  const token = isObject(raw) ? raw.content : raw
  if (token === undefined || token === null) return undefined
  if (typeof token === 'string') return token
  const id = readId(token)
  if (id !== undefined) return id
  throw new TokenizerError(`${file}: "${key}" is ${describe(raw)}; expected a token, {"content": token} or an id`)
}

function readId(raw: unknown): number | undefined {
  return typeof raw === 'number' && Number.isInteger(raw) && raw >= 0 ? raw : undefined
}

function readAdditional(raw: unknown): string[] {
  if (!Array.isArray(raw)) return []
  return raw.flatMap((token: unknown) => {
    const content = isObject(token) ? token.content : token
    return typeof content === 'string' ? [content] : []
  })
}

/** One text, or a list of {name, template}. */
function readTemplates(raw: unknown, file: string): Map<string, string> {
  if (raw === undefined || raw === null) return new Map()
  if (typeof raw === 'string') return new Map([['default', raw]])
  if (!Array.isArray(raw)) {
    throw new TokenizerError(
      `${file}: "chat_template" is ${describe(raw)}; expected a text or a list of {name, template}`,
    )
  }
  return new Map(
    raw.map((entry: unknown, i) => {
      if (!isObject(entry) || typeof entry.name !== 'string' || typeof entry.template !== 'string') {
        throw new TokenizerError(`${file}: "chat_template[${i}]" is ${describe(entry)}; expected {name, template}`)
      }
      return [entry.name, entry.template]
    }),
  )
}
