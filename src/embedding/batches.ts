/**
 * Indices of texts in batches of at most `maxTokens` tokens, but one text at least: the longest first, so that texts of a batch
 * are about as long as each other.
 */
export function batchesOf(lengths: readonly number[], maxTokens: number): number[][] {
  const order = lengths.map((_, i) => i).sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b)
  const batches: number[][] = []
  let tokens = Number.POSITIVE_INFINITY
  for (const i of order) {
    const length = lengths[i] as number
    tokens += length
    if (tokens > maxTokens) {
      batches.push([])
      tokens = length
    }
    batches.at(-1)?.push(i)
  }
  return batches
}
