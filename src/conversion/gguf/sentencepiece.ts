import type { JsonObject } from '../../checkpoint/json-file.ts'

/**
 * SentencePiece joins the neighbours that make the token of the highest score; a list of merges joins those that come
 * first in it. So a token's score is the place of the first merge that makes it, counted down. Tokens that no merge
 * makes (characters, bytes, special ones) are never joined from others: below all.
 */
export function scoresOf(merges: readonly (readonly [string, string])[], tokens: readonly string[]): number[] {
  const places = new Map<string, number>()
  for (const [left, right] of merges) {
    const token = left + right
    if (!places.has(token)) places.set(token, places.size)
  }
  return tokens.map(token => -(places.get(token) ?? places.size))
}

/** Whether a text gets a space before it. */
export function spacePrefix({ normalizer, pre_tokenizer: pre }: JsonObject): boolean {
  const parts = [...flat(normalizer, 'normalizers'), ...flat(pre, 'pretokenizers')]
  return parts.some(({ type, prepend_scheme: scheme, add_prefix_space: add }) => {
    return type === 'Prepend' || (type === 'Metaspace' && (scheme === undefined ? add !== false : scheme !== 'never'))
  })
}

/** A component's parts, or itself. */
export function flat(component: unknown, list: string): JsonObject[] {
  if (typeof component !== 'object' || component === null) return []
  const object = component as JsonObject
  return object.type === 'Sequence' ? (object[list] as unknown[]).flatMap(part => flat(part, list)) : [object]
}
