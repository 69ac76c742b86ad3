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

export interface Vocabulary {
  readonly tokens: readonly string[]
  readonly types: readonly number[]
  readonly roles: Readonly<Partial<Record<Role, number>>>
  /** Ids that stand for themselves wherever they appear in a text, and whether they are no text. */
  readonly added: ReadonlyMap<number, { readonly special: boolean }>
}

export function readVocabulary(m: Metadata): Vocabulary {
  const tokens = m.strings('tokenizer.ggml.tokens')
  if (tokens.length === 0) m.fail('tokenizer.ggml.tokens', 'at least one token')
  const types =
    m.optionalInts('tokenizer.ggml.token_type', { length: tokens.length, min: -1 }) ??
    new Array<number>(tokens.length).fill(TOKEN.normal)
  const id = (name: string) => m.optionalInt(`tokenizer.ggml.${name}_token_id`, { max: tokens.length - 1 })
  const roles: Partial<Record<Role, number>> = {}
  for (const [name, role] of Object.entries(ROLES)) {
    const found = id(name)
    if (found !== undefined) roles[role] = found
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
  return { tokens, types, roles, added }
}
