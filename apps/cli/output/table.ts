/** Aligned columns for a terminal or a file. Widths count visible columns: colours and combining marks have none. */
import { printable } from '../../../src/for-apps.ts'

export interface Column {
  readonly head: string
  readonly align?: 'left' | 'right'
}

export interface TableOptions {
  /** Spaces between columns. Default 2. */
  readonly gap?: number
  readonly indent?: number
  /** Applied to each heading after padding. */
  readonly style?: (head: string) => string
}

export function table(columns: readonly Column[], rows: readonly (readonly string[])[], options: TableOptions = {}) {
  const { gap = 2, indent = 0, style = head => head } = options
  const cells = rows.map(row => row.map(oneLine))
  const width = columns.map((c, i) => Math.max(...[c.head, ...cells.map(r => r[i] ?? '')].map(seenWidth)))
  const line = (row: readonly string[], paint: (cell: string) => string): string => {
    const padded = columns.map((c, i) => paint(pad(row[i] ?? '', width[i] as number, c.align ?? 'left')))
    return (' '.repeat(indent) + padded.join(' '.repeat(gap))).trimEnd()
  }
  const heads = columns.map(c => c.head)
  const body = cells.map(r => line(r, cell => cell))
  return [...(heads.some(Boolean) ? [line(heads, style)] : []), ...body].join('\n')
}

/** Names and values, one pair per line. Long values are wrapped within their column. */
export function pairs(
  rows: readonly (readonly [string, string])[],
  style: (name: string) => string,
  columns = Number.POSITIVE_INFINITY,
): string {
  const width = Math.max(0, ...rows.map(([name]) => seenWidth(name)))
  const below = `\n${' '.repeat(width + 2)}`
  const shown = (value: string) => wrapped(oneLine(value), Math.max(20, columns - width - 2)).replaceAll('\n', below)
  return rows.map(([name, value]) => `${style(pad(name, width, 'left'))}  ${shown(value)}`).join('\n')
}

/** Lines of at most `columns`, broken between words. A longer word stays whole. */
export function wrapped(text: string, columns: number): string {
  return text
    .split('\n')
    .map(line => (seenWidth(line) <= columns ? line : wrappedLine(line, columns)))
    .join('\n')
}

function wrappedLine(text: string, columns: number): string {
  const indent = /^ */.exec(text)?.[0] ?? ''
  const [first = '', ...words] = text.slice(indent.length).split(' ')
  const lines = [indent + first]
  for (const word of words) {
    const line = `${lines.at(-1)} ${word}`
    if (seenWidth(line) > columns) lines.push(indent + word)
    else lines[lines.length - 1] = line
  }
  return lines.join('\n')
}

/** Removes line breaks: a name with one could forge a row. */
function oneLine(cell: string): string {
  return cell.replace(/[\n\r]/g, character => printable(character))
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with one
const ESCAPES = /\u001b\[[0-9;]*m/g
const ASCII = /^[\x20-\x7e]*$/
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u

/** Columns a text takes in a terminal: near enough for model and token names. */
export function seenWidth(text: string): number {
  const plain = text.replace(ESCAPES, '')
  if (ASCII.test(plain)) return plain.length
  let width = 0
  // Created only when needed: it loads tables, which would slow the program's start.
  for (const { segment } of new Intl.Segmenter().segment(plain)) width += WIDE.test(segment) ? 2 : 1
  return width
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const fill = ' '.repeat(Math.max(0, width - seenWidth(text)))
  return align === 'left' ? text + fill : fill + text
}
