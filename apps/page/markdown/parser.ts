/** markdown-it with formulas: from text to tokens. */
import MarkdownIt, { type Env, type StateBlock, type StateInline, type Token } from 'markdown-it'

export type { Token }

/**
 * Markdown as models write it: CommonMark with tables, strikethrough, plain links and maths. HTML is text. The tokens
 * become elements in `elements.ts`; no HTML is ever written.
 */
const parser = new MarkdownIt({ html: false, linkify: true })
parser.inline.ruler.before('escape', 'maths', inlineMaths)
parser.block.ruler.before('fence', 'maths', blockMaths, { alt: ['paragraph', 'reference', 'blockquote', 'list'] })

/** Definitions of links (`[name]: address`), which blocks of one text share: the parser adds those that it meets. */
export type References = Env

export function parseMarkdown(text: string, references: References): Token[] {
  return parser.parse(text, references)
}

const DELIMITERS = [
  ['$$', '$$', true],
  ['\\[', '\\]', true],
  ['\\(', '\\)', false],
] as const

function inlineMaths(state: StateInline, silent: boolean): boolean {
  for (const [open, close, display] of DELIMITERS) {
    if (!state.src.startsWith(open, state.pos)) continue
    const end = state.src.indexOf(close, state.pos + open.length)
    if (end < 0 || end > state.posMax) return false
    const content = state.src.slice(state.pos + open.length, end)
    if (content.trim() === '') return false
    if (!silent) push(state, content, display)
    state.pos = end + close.length
    return true
  }
  // Dollars that hug a formula; prices do not look like this: "$5 and $6".
  const dollars = /^\$(?![\s$])((?:\\.|[^\\$\n])*?)(?<![\s\\])\$(?!\d)/.exec(
    state.src.slice(state.pos, state.pos + 500),
  )
  if (state.src[state.pos] !== '$' || dollars === null) return false
  if (!silent) push(state, dollars[1] ?? '', false)
  state.pos += dollars[0].length
  return true
}

function push(state: StateInline, content: string, display: boolean): void {
  const token = state.push(display ? 'maths_display' : 'maths', 'math', 0)
  token.content = content.trim()
}

/**
 * A formula in lines of its own, from `$$` or `\\[` to its counterpart. A delimiter alone on its line always begins one, in
 * the middle of a paragraph too, and one that is not closed ends at a blank line: so later text never changes where an
 * earlier block ends. With the formula on the same line it has to be closed.
 */
function blockMaths(state: StateBlock, first: number, last: number, silent: boolean): boolean {
  const line = (at: number) => state.src.slice(state.bMarks[at]! + state.tShift[at]!, state.eMarks[at]).trimEnd()
  // The last line may still grow.
  const whole = (at: number) => state.eMarks[at]! < state.src.length
  const begin = line(first)
  const close = begin.startsWith('$$') ? '$$' : begin.startsWith('\\[') ? '\\]' : undefined
  if (close === undefined) return false
  const alone = begin.length === 2 && whole(first)
  if (silent) return alone
  const inside = begin.slice(2)
  if (inside.includes(close) && !inside.endsWith(close)) return false
  const lines: string[] = []
  let closed = false
  let next = first
  for (let rest = inside; ; rest = line(next)) {
    next++
    closed = rest.endsWith(close)
    lines.push(closed ? rest.slice(0, -2) : rest)
    if (closed || next >= last || (line(next) === '' && whole(next))) break
  }
  if (!closed && !alone && next < last) return false
  const token = state.push('maths_display', 'math', 0)
  token.block = true
  token.content = lines.join('\n').trim()
  token.map = [first, next]
  state.line = next
  return true
}
