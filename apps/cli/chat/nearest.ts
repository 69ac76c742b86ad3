/** The name that was probably meant: at most two slips away (and less than half the name), or undefined. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const limit = Math.min(2, Math.floor(word.length / 2))
  const scored = names.map(name => ({ name, slips: distance(word, name) })).sort((a, b) => a.slips - b.slips)
  const [best] = scored
  return best !== undefined && best.slips <= limit ? best.name : undefined
}

/** Levenshtein's: letters added, lost or changed. */
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
