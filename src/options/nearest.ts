/**
 * The name that a misspelt word probably means: equal apart from case, `_` and `-`; or at most two edits away (and fewer
 * than half of the word's letters); or the only name that begins with the word. Else undefined.
 */
export function nearest(word: string, names: readonly string[]): string | undefined {
  if (word.length > 100) return undefined
  const plain = bare(word)
  const limit = Math.min(2, Math.floor(plain.length / 2))
  const scored = names.map(name => ({ name, slips: distance(plain, bare(name)) })).sort((a, b) => a.slips - b.slips)
  const [best] = scored
  if (best !== undefined && best.slips <= limit) return best.name
  const longer = plain.length < 4 ? [] : names.filter(name => bare(name).startsWith(plain))
  return longer.length === 1 ? longer[0] : undefined
}

function bare(name: string): string {
  return name.replace(/[_-]/g, '').toLowerCase()
}

/** Levenshtein distance: letters added, removed or changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const changed = (row[j] as number) + (letter === b[j] ? 0 : 1)
      next.push(Math.min(changed, (row[j + 1] as number) + 1, (next[j] as number) + 1))
    }
    row = next
  }
  return row.at(-1) as number
}
