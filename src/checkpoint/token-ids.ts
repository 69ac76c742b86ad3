import { quote } from './quote.ts'

/** Larger than any vocabulary. */
const MAX_ID = 1 << 24

/** The ids in a field such as `eos_token_id`: one id or a list. Anything else is ignored. */
export function readTokenIds(value: unknown): number[] {
  return [value].flat().filter(isTokenId)
}

/** A warning for each key whose value is not a token id: -1, text, a fraction. */
export function tokenIdWarnings(file: string, json: Readonly<Record<string, unknown>>): string[] {
  return ['bos_token_id', 'eos_token_id'].flatMap(key => {
    const wrong = [json[key] ?? []].flat().filter(id => !isTokenId(id))
    if (wrong.length === 0) return []
    const met = wrong.slice(0, 3).map(show).join(', ')
    return [`${file}: "${key}" has ${met}, which is no token id; it counts as not given`]
  })
}

function isTokenId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_ID
}

function show(value: unknown): string {
  if (typeof value === 'string') return quote(value, 60)
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
