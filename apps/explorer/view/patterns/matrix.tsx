/** One head's pattern: a row for each query, a column for each key. A click, or the arrow keys, choose a pair; hovering looks at one. */
import { useEffect, useRef } from 'preact/hooks'
import { type PatternPixels, patternImage } from '../../drawing/attention-image.ts'
import { shortened } from '../../drawing/format.ts'
import { useTable } from '../../drawing/table.ts'
import { useWidth } from '../../drawing/use-width.ts'

export interface Pair {
  readonly query: number
  readonly key: number
}

interface Props {
  pixels: PatternPixels
  /** Of the rows. */
  tokens: readonly string[]
  /** Of the columns. */
  keyTokens: readonly string[]
  causal: boolean
  query: number
  keyAt: number
  choose: (pair: Pair) => void
  /** What the mouse is over; undefined when it has left. */
  look: (pair: Pair | undefined) => void
  /** The chosen pair in words. */
  spoken: string
}

const MOST = 520
/** Names are written where a row is at least this high. */
const NAMED_FROM = 13
const NAMES = 92
/** Below the pattern, where the names of columns stand aslant. */
const FOOT = 76

export function Matrix({ pixels, tokens, keyTokens, causal, query, keyAt, choose, look, spoken }: Props) {
  const { ref, width } = useWidth<HTMLDivElement>()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [rows, columns] = [tokens.length, keyTokens.length]
  const most = Math.max(rows, columns)
  // Of a reduced pattern, a row and a column for each group of tokens.
  useTable(ref, () => ({
    columns: [
      '',
      ...(pixels.width === columns ? keyTokens : Array.from({ length: pixels.width }, (_, i) => String(i))),
    ],
    rows: Array.from({ length: pixels.height }, (_, i) => [
      pixels.height === rows ? (tokens[i] ?? '') : i,
      ...pixels.values.subarray(i * pixels.width, (i + 1) * pixels.width),
    ]),
  }))
  const named = Math.min(width - NAMES, MOST) / most >= NAMED_FROM
  const left = named ? NAMES : 0
  const foot = named ? FOOT : 0
  const cell = Math.min(width - left, MOST) / most
  const [wide, high] = [columns * cell, rows * cell]
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (!context || !ref.current) return
    const style = getComputedStyle(ref.current)
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
    context.clearRect(0, 0, left + wide, high + foot)
    context.imageSmoothingEnabled = pixels.height > high * devicePixelRatio
    context.drawImage(patternImage(pixels, rows, causal), left, 0, wide, high)
    context.strokeStyle = style.getPropertyValue('--line')
    context.lineWidth = 1
    context.strokeRect(left + 0.5, 0.5, wide - 1, high - 1)
    context.font = `12px ${style.fontFamily}`
    context.textAlign = 'right'
    context.textBaseline = 'middle'
    if (named) {
      for (const [i, token] of tokens.entries()) {
        context.fillStyle = style.getPropertyValue(i === query ? '--ink' : '--quiet')
        context.fillText(shortened(visible(token)), left - 8, (i + 0.5) * cell)
      }
      for (const [i, token] of keyTokens.entries()) {
        context.fillStyle = style.getPropertyValue(i === keyAt ? '--ink' : '--quiet')
        context.save()
        context.translate(left + (i + 0.5) * cell, high + 8)
        context.rotate(-Math.PI / 4)
        context.fillText(shortened(visible(token)), 0, 0)
        context.restore()
      }
    }
    context.strokeStyle = style.getPropertyValue('--ink')
    context.lineWidth = 1.5
    const line = Math.max(cell, 3)
    context.strokeRect(left, query * cell, Math.max((query + 1) * cell, line), line)
    context.strokeStyle = style.getPropertyValue('--paper')
    context.strokeRect(left + keyAt * cell + 1, query * cell + 1, line - 2, line - 2)
  })
  const pointed = (use: (pair: Pair) => void) => (event: MouseEvent) => {
    const box = canvas.current!.getBoundingClientRect()
    if (event.clientY - box.top > high) return
    const row = clamp(Math.floor((event.clientY - box.top) / cell), rows)
    const column = clamp(Math.floor((event.clientX - box.left - left) / cell), causal ? row + 1 : columns)
    use({ query: row, key: column })
  }
  const keys: Readonly<Record<string, readonly [number, number]>> = {
    ...{ ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] },
  }
  return (
    <div
      ref={ref}
      class="matrix"
      role="application"
      aria-roledescription="attention pattern"
      aria-label={`${spoken}. The arrow keys choose query and key.`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is operated by keyboard
      tabIndex={0}
      onKeyDown={event => {
        const move = keys[event.key]
        if (move === undefined) return
        event.preventDefault()
        const row = clamp(query + move[0], rows)
        choose({ query: row, key: clamp(keyAt + move[1], causal ? row + 1 : columns) })
      }}
    >
      <canvas
        ref={canvas}
        width={(left + wide) * devicePixelRatio}
        height={(high + foot) * devicePixelRatio}
        style={{ width: `${left + wide}px`, height: `${high + foot}px` }}
        onMouseMove={pointed(look)}
        onMouseLeave={() => look(undefined)}
        onClick={pointed(choose)}
      />
    </div>
  )
}

function clamp(n: number, count: number): number {
  return Math.min(Math.max(n, 0), count - 1)
}

/** Blanks and line breaks are seen. */
export function visible(token: string): string {
  return token.replace(/^ /, '').replaceAll('\n', '↵').replaceAll('\t', '⇥') || '␣'
}
