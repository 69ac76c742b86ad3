import type { Colours } from '../output/colour.ts'
import { table } from '../output/table.ts'

/** Characters of a text. */
const SHOWN = 44
/** More lines help nobody; the other forms have all. */
const MOST = 200

/** Each text with the one whose vector is nearest to its own, and the cosine of the two. */
export function nearestView(texts: readonly string[], vectors: readonly Float32Array[], c: Colours): string {
  const shown = texts.slice(0, MOST)
  const rows = shown.map((text, i) => {
    const [nearest, cosine] = nearestTo(i, vectors)
    return [
      String(i + 1),
      cut(text),
      nearest < 0 ? '' : cosine.toFixed(3),
      nearest < 0 ? '' : cut(texts[nearest] as string),
    ]
  })
  const right = (head: string) => ({ head, align: 'right' as const })
  const columns = [right('#'), { head: 'text' }, right('cosine'), { head: 'nearest' }]
  const left = texts.length - shown.length
  return table(columns, rows, { style: c.bold }) + (left > 0 ? `\n${c.dim(`and ${left} more`)}` : '')
}

/** Documents with their scores, the best first. */
export function rankingView(
  rows: readonly { readonly index: number; readonly score: number; readonly text: string }[],
  c: Colours,
): string {
  const right = (head: string) => ({ head, align: 'right' as const })
  const columns = [right('score'), right('#'), { head: 'document' }]
  const shown = rows
    .slice(0, MOST)
    .map(({ index, score, text }) => [score.toFixed(3), String(index + 1), cut(text, 90)])
  const left = rows.length - shown.length
  return table(columns, shown, { style: c.bold }) + (left > 0 ? `\n${c.dim(`and ${left} more`)}` : '')
}

/** Index -1 if there is no other. */
function nearestTo(of: number, vectors: readonly Float32Array[]): readonly [index: number, cosine: number] {
  const own = vectors[of] as Float32Array
  let best = [-1, Number.NEGATIVE_INFINITY] as readonly [number, number]
  for (const [i, other] of vectors.entries()) {
    if (i === of) continue
    const cosine = dot(own, other) / (Math.sqrt(dot(own, own) * dot(other, other)) || 1)
    if (cosine > best[1]) best = [i, cosine]
  }
  return best
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}

function cut(text: string, most = SHOWN): string {
  const characters = [...text]
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`
}
