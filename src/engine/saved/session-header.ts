/**
 * What a session's file says of itself before its rows. Files come from anywhere: nothing here is believed unchecked. (By
 * hand, since a schema library takes longer to load than a session.)
 */
import type { SavedSampler } from '../loop/sampler-state.ts'
import type { Identity } from '../past/identity.ts'

export const SESSION_MAGIC = 'LKSESSN1'

export interface SessionHeader {
  /** Of the machine that wrote it: ids and rows are as its memory has them. */
  readonly endianness: 'LE' | 'BE'
  /** ISO 8601. */
  readonly savedAt: string
  /** What the model is called. */
  readonly model: string
  /** Whose rows they are. */
  readonly identity: Identity
  /** Tokens that the session may hold. */
  readonly contextLength: number
  /** In a full context `count` tokens after the first `keep` make room; null: the text ends there. */
  readonly rolling: { readonly keep: number; readonly count: number } | null
  readonly endsGenerated: boolean
  /** Of a text that may go on. */
  readonly drawing: SavedSampler | null
  /** Ids that follow, of 4 bytes. */
  readonly tokens: number
  /** Rows: ids of 4 bytes, then provenance of one byte follow. */
  readonly rows: number
  /** Bytes of each block by group, null where a window had passed; they follow in this order. */
  readonly blocks: readonly (readonly (number | null)[])[]
  /** What the user had kept with it: any JSON. */
  readonly notes: unknown
}

type Check = (value: unknown) => boolean

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isWord: Check = value => isCount(value) && value <= 0xffff_ffff
const listOf =
  (each: Check): Check =>
  value =>
    Array.isArray(value) && value.every(each)
const orNull =
  (check: Check): Check =>
  value =>
    value === null || check(value)
const record =
  (fields: Readonly<Record<string, Check>>): Check =>
  value =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(fields).every(([key, check]) => Object.hasOwn(value, key) && check(value[key as keyof typeof value]))
/** What is shown to people: nothing in it may move a cursor. */
const isLabel: Check = value =>
  typeof value === 'string' && value.length <= 300 && !/[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/u.test(value)
const isPair: Check = value => Array.isArray(value) && value.length === 2 && value.every(isCount)

const IDENTITY: { readonly [K in keyof Identity]: Check } = {
  rules: isLabel,
  config: isLabel,
  tokenizer: isLabel,
  weights: isLabel,
  rows: isLabel,
  layout: isLabel,
  numerics: isLabel,
}

const DRAWING: { readonly [K in keyof Omit<SavedSampler, 'mu'>]: Check } = {
  seed: Number.isSafeInteger,
  rng: value => Array.isArray(value) && value.length === 4 && value.every(isWord) && value.some(word => word !== 0),
  prompt: listOf(isCount),
  counts: listOf(isPair),
}
const isDrawing: Check = value => record(DRAWING)(value) && isMu((value as { mu?: unknown }).mu)
/** Texts that are drawn without mirostat have none. */
const isMu: Check = value => value === undefined || Number.isFinite(value)

const HEADER: { readonly [K in keyof SessionHeader]: Check } = {
  endianness: value => value === 'LE' || value === 'BE',
  savedAt: value => typeof value === 'string' && Number.isFinite(Date.parse(value)),
  model: isLabel,
  identity: record(IDENTITY),
  contextLength: value => isCount(value) && value > 0,
  rolling: orNull(record({ keep: isCount, count: value => isCount(value) && value > 0 })),
  endsGenerated: value => typeof value === 'boolean',
  drawing: orNull(isDrawing),
  tokens: isCount,
  rows: isCount,
  blocks: listOf(listOf(orNull(isCount))),
  notes: () => true,
}

/** Throws an Error that says which field is wrong. */
export function parseSessionHeader(header: unknown): SessionHeader {
  const fields = typeof header === 'object' && header !== null ? (header as Record<string, unknown>) : {}
  for (const [field, check] of Object.entries(HEADER)) {
    if (!check(fields[field])) throw new Error(`its header is wrong at "${field}"`)
  }
  return fields as unknown as SessionHeader
}

/** Bytes of all that follows the header. */
export function bodyBytes({ tokens, rows, blocks }: SessionHeader): number {
  return 4 * tokens + 5 * rows + blocks.flat().reduce<number>((n, bytes) => n + (bytes ?? 0), 0)
}
