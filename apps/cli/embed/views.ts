import type { Colours } from '../output/colour.ts'
import { table } from '../output/table.ts'

/** Characters of a text. */
const SHOWN = 44
/** More lines help nobody; the other forms have all. */
const MOST = 200

/** Each text with the one whose vector is nearest to its own, and the cosine of the two. */
export function nearestView(texts: readonly string[], vectors: readonly Float32Array[], c: Colours): string {
  const rows = texts.slice(0, MOST).map((text, i) => {
    const [nearest, cosine] = nearestTo(i, vectors)
    return [
      String(i + 1),
      cut(text),
      nearest < 0 ? '' : cosine.toFixed(3),
      nearest < 0 ? '' : cut(texts[nearest] as string),
    ]
  })
  return firstOf(texts.length, [right('#'), { head: 'text' }, right('cosine'), { head: 'nearest' }], rows, c)
}

/** Documents with their scores, the best first. */
export function rankingView(
  rows: readonly { readonly index: number; readonly score: number; readonly text: string }[],
  c: Colours,
): string {
  const shown = rows
    .slice(0, MOST)
    .map(({ index, score, text }) => [score.toFixed(3), String(index + 1), cut(text, 90)])
  return firstOf(rows.length, [right('score'), right('#'), { head: 'document' }], shown, c)
}

function right(head: string) {
  return { head, align: 'right' as const }
}

/** A table of the first rows, and how many there are besides. */
function firstOf(all: number, columns: Parameters<typeof table>[0], rows: readonly string[][], c: Colours): string {
  const left = all - rows.length
  return table(columns, rows, { style: c.bold }) + (left > 0 ? `\n${c.dim(`and ${left} more`)}` : '')
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
