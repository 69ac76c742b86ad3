import { Fault, valueError } from '../errors.ts'
import { str } from '../format/print.ts'
import { textOf, typeName } from '../values/inspect.ts'
import { Undefined, type Value } from '../values/objects.ts'
import { splitLines, strip, substring, textLength } from '../values/text.ts'
import type { Work } from '../work.ts'

export function wordCount(work: Work, text: string): number {
  work.walk(text.length)
  let count = 0
  for (const _ of text.matchAll(/[\p{L}\p{N}_]+/gu)) count++
  return count
}

const PUNCTUATED = '[\\p{L}\\p{N}_!"\'&.,?]'
const LETTER = '[\\p{L}\\p{No}\\p{Nl}_]'
/** Pieces that lines are made of, as Python's textwrap cuts them. */
const PIECES = new RegExp(
  `[\\t-\\r ]+|(?<=${PUNCTUATED})-{2,}(?=[\\p{L}\\p{N}_])|[^\\t-\\r ]+?(?:-(?:(?<=${LETTER}{2}-)|(?<=${LETTER}-${LETTER}-))(?=${LETTER}-?${LETTER})|(?=[\\t-\\r ]|$)|(?<=${PUNCTUATED})(?=-{2,}[\\p{L}\\p{N}_]))`,
  'gu',
)

/** The filter `wordwrap`: Python's textwrap over each line. */
export function wrapText(
  work: Work,
  value: Value,
  width: number,
  breakLong: boolean,
  wrap: Value,
  onHyphens: boolean,
): string {
  if (value instanceof Undefined) throw value.fault()
  const text = textOf(value)
  if (text === undefined) throw new Fault('AttributeError', `'${typeName(value)}' object has no attribute 'splitlines'`)
  if (width <= 0 && text !== '') throw valueError(`invalid width ${width} (must be > 0)`)
  const between = wrap === null ? '\n' : str(work, wrap)
  // A line without pieces is an empty line all the same.
  const wrapped = splitLines(work, text, false).flatMap(line => {
    const lines = wrapLine(work, line, width, breakLong, onHyphens)
    return lines.length === 0 ? [''] : lines
  })
  work.makeText(wrapped.reduce((sum, line) => sum + line.length + between.length, 0))
  return wrapped.join(between)
}

function wrapLine(work: Work, line: string, width: number, breakLong: boolean, onHyphens: boolean): string[] {
  // Within a run of dashes every place looks ahead to the run's end.
  for (const [dashes] of line.matchAll(/-{8,}/g)) work.spend((dashes.length ** 2) >> 4)
  work.walk(line.length * 4)
  const pieces = (onHyphens ? line.match(PIECES) : line.match(/[\t-\r ]+|[^\t-\r ]+/g)) ?? []
  const rest = [...pieces].reverse()
  work.makeItems(rest.length)
  const lines: string[] = []
  while (rest.length > 0) {
    if (lines.length > 0 && isBlank(work, rest.at(-1)!)) rest.pop()
    const current: string[] = []
    let length = 0
    while (rest.length > 0) {
      const size = textLength(work, rest.at(-1)!)
      if (length + size > width) break
      current.push(rest.pop()!)
      length += size
    }
    const long = rest.at(-1)
    if (long !== undefined && textLength(work, long) > width) {
      const room = width - length
      if (breakLong) {
        // Without room this is an empty text, and Python then looks at that for a blank, not at what stands before it.
        const cut = cutLong(work, long, room, onHyphens)
        current.push(substring(work, long, 0, cut))
        rest[rest.length - 1] = substring(work, long, cut, long.length)
      } else if (current.length === 0) current.push(rest.pop()!)
    }
    if (current.length > 0 && isBlank(work, current.at(-1)!)) current.pop()
    if (current.length > 0) lines.push(current.join(''))
  }
  return lines
}

function cutLong(work: Work, word: string, room: number, onHyphens: boolean): number {
  if (!onHyphens) return room
  const head = substring(work, word, 0, room)
  const hyphen = head.lastIndexOf('-')
  return hyphen > 0 && /[^-]/.test(head.slice(0, hyphen)) ? textLength(work, head.slice(0, hyphen)) + 1 : room
}

function isBlank(work: Work, piece: string): boolean {
  return strip(work, piece, null) === ''
}
