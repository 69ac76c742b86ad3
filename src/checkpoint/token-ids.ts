import { quote } from './quote.ts'

/** No vocabulary comes near. */
const MAX_ID = 1 << 24

/** The ids in a field such as `eos_token_id`: one, or a list of them. Everything else counts as not given. */
export function readTokenIds(value: unknown): number[] {
  return [value].flat().filter(isTokenId)
}

/** One sentence for each of the keys under which a file has something that is no token id: -1, text, a fraction. */
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
