import { quote } from '../quote.ts'
import type { Metadata } from './metadata.ts'

/** `tokenizer.ggml.token_type` */
export const TOKEN = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

/** Special tokens: how the metadata calls them, and tokenizer_config.json. */
const ROLES = {
  bos: 'bos',
  eos: 'eos',
  unknown: 'unk',
  padding: 'pad',
  seperator: 'sep', // as the key is spelt
  cls: 'cls',
  mask: 'mask',
} as const
type Role = (typeof ROLES)[keyof typeof ROLES]

/** Tokens that end a turn or a message; they have no role on the hub. */
const ENDS = ['eot', 'eom'] as const

/** Marks of a gap: the keys of today, and of older files. */
const INFILL = {
  pre: ['fim_pre', 'prefix'],
  suf: ['fim_suf', 'suffix'],
  mid: ['fim_mid', 'middle'],
  pad: ['fim_pad'],
  rep: ['fim_rep'],
  sep: ['fim_sep'],
} as const

export interface Vocabulary {
  readonly tokens: readonly string[]
  readonly types: readonly number[]
  readonly roles: Readonly<Partial<Record<Role, number>>>
  /** Marks of a gap in a text, by the short names of the keys. */
  readonly infill: Readonly<Record<string, number>>
  /** Ids that stand for themselves wherever they appear in a text, and whether they are no text. */
  readonly added: ReadonlyMap<number, { readonly special: boolean }>
}

export function readVocabulary(m: Metadata): Vocabulary {
  const tokens = m.strings('tokenizer.ggml.tokens')
  if (tokens.length === 0) m.fail('tokenizer.ggml.tokens', 'at least one token')
  const types =
    m.optionalInts('tokenizer.ggml.token_type', { length: tokens.length, min: -1 }) ??
    new Array<number>(tokens.length).fill(TOKEN.normal)
  const id = (name: string) => specialId(m, name)
  const roles: Partial<Record<Role, number>> = {}
  for (const [name, role] of Object.entries(ROLES)) {
    const found = id(name)
    if (found !== undefined) roles[role] = found
  }
  const infill: Record<string, number> = {}
  for (const [role, names] of Object.entries(INFILL)) {
    const found = names.map(id).find(value => value !== undefined)
    if (found !== undefined) infill[role] = found
  }
  const added = new Map<number, { special: boolean }>()
  for (const [i, type] of types.entries()) {
    if (tokens[i] === '') continue
    if (type === TOKEN.control || type === TOKEN.unknown) added.set(i, { special: true })
    if (type === TOKEN.userDefined) added.set(i, { special: false })
  }
  // Files without types still say what begins and ends a text.
  for (const i of [roles.bos, roles.eos, ...ENDS.map(id)]) {
    if (i !== undefined && tokens[i] !== '') added.set(i, { special: true })
  }
  return { tokens, types, roles, infill, added }
}

/** No vocabulary comes near: for files that hold none. */
const MAX_TOKENS = 1 << 24

/** The id of `tokenizer.ggml.{name}_token_id`. One beyond the vocabulary counts as not given, as in llama.cpp. */
export function specialId(m: Metadata, name: string): number | undefined {
  const key = `tokenizer.ggml.${name}_token_id`
  return m.has(key) && isToken(m, key) ? m.optionalInt(key) : undefined
}

/** One sentence for each key of a special token whose id is beyond the vocabulary. */
export function specialIdWarnings(m: Metadata): string[] {
  const keys = m.keys().filter(key => /^tokenizer\.ggml\.\w+_token_id$/.test(key) && !isToken(m, key))
  const count = m.optionalStrings('tokenizer.ggml.tokens')?.length ?? MAX_TOKENS
  return keys.map(key => {
    const met = `${m.file}: key ${quote(key)} is ${String(m.raw(key))}`
    return `${met}, and the vocabulary has ${count} tokens; it counts as not given`
  })
}

function isToken(m: Metadata, key: string): boolean {
  const value = m.raw(key)
  if (typeof value !== 'number' && typeof value !== 'bigint') return m.fail(key, 'an integer')
  return (
    value >= 0 &&
    value < (m.optionalStrings('tokenizer.ggml.tokens')?.length ?? MAX_TOKENS) &&
    Number.isInteger(Number(value))
  )
}
