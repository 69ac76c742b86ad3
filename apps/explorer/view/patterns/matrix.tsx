/** One head's pattern: a row for each query, a column for each key. Hover, or the arrow keys, choose a pair. */
import { useEffect, useRef } from 'preact/hooks'
import { type PatternPixels, patternImage } from '../../drawing/attention-image.ts'
import { shortened } from '../../drawing/format.ts'
import { useTable } from '../../drawing/table.ts'
import { useWidth } from '../../drawing/use-width.ts'

interface Props {
  pixels: PatternPixels
  tokens: readonly string[]
  causal: boolean
  query: number
  keyAt: number
  choose: (query: number, key: number) => void
  /** The chosen pair in words. */
  spoken: string
}

const MOST = 520
/** Names are written where a row is at least this high. */
const NAMED_FROM = 13
const NAMES = 92
/** Below the pattern, where the names of columns stand aslant. */
const FOOT = 76

export function Matrix({ pixels, tokens, causal, query, keyAt, choose, spoken }: Props) {
  const { ref, width } = useWidth<HTMLDivElement>()
  const canvas = useRef<HTMLCanvasElement>(null)
  const count = tokens.length
  // Of a reduced pattern, a row and a column for each group of tokens.
  useTable(ref, () => ({
    columns: ['', ...(pixels.width === count ? tokens : Array.from({ length: pixels.width }, (_, i) => String(i)))],
    rows: Array.from({ length: pixels.height }, (_, i) => [
      pixels.height === count ? (tokens[i] ?? '') : i,
      ...pixels.values.subarray(i * pixels.width, (i + 1) * pixels.width),
    ]),
  }))
  const named = Math.min(width - NAMES, MOST) / count >= NAMED_FROM
  const left = named ? NAMES : 0
  const foot = named ? FOOT : 0
  const size = Math.min(width - left, MOST)
  const cell = size / count
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (!context || !ref.current) return
    const style = getComputedStyle(ref.current)
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
    context.clearRect(0, 0, left + size, size + foot)
    context.imageSmoothingEnabled = pixels.height > size * devicePixelRatio
    context.drawImage(patternImage(pixels, count, causal), left, 0, size, size)
    context.strokeStyle = style.getPropertyValue('--line')
    context.lineWidth = 1
    context.strokeRect(left + 0.5, 0.5, size - 1, size - 1)
    context.font = `12px ${style.fontFamily}`
    context.textAlign = 'right'
    context.textBaseline = 'middle'
    if (named)
      for (const [i, token] of tokens.entries()) {
        context.fillStyle = style.getPropertyValue(i === query ? '--ink' : '--quiet')
        context.fillText(shortened(visible(token)), left - 8, (i + 0.5) * cell)
        context.fillStyle = style.getPropertyValue(i === keyAt ? '--ink' : '--quiet')
        context.save()
        context.translate(left + (i + 0.5) * cell, size + 8)
        context.rotate(-Math.PI / 4)
        context.fillText(shortened(visible(token)), 0, 0)
        context.restore()
      }
    context.strokeStyle = style.getPropertyValue('--ink')
    context.lineWidth = 1.5
    const line = Math.max(cell, 3)
    context.strokeRect(left, query * cell, Math.max((query + 1) * cell, line), line)
    context.strokeStyle = style.getPropertyValue('--paper')
    context.strokeRect(left + keyAt * cell + 1, query * cell + 1, line - 2, line - 2)
  })
  const pointed = (event: MouseEvent) => {
    const box = canvas.current!.getBoundingClientRect()
    if (event.clientY - box.top > size) return
    const row = clamp(Math.floor((event.clientY - box.top) / cell), count)
    const column = clamp(Math.floor((event.clientX - box.left - left) / cell), causal ? row + 1 : count)
    choose(row, column)
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
        const row = clamp(query + move[0], count)
        choose(row, clamp(keyAt + move[1], causal ? row + 1 : count))
      }}
    >
      <canvas
        ref={canvas}
        width={(left + size) * devicePixelRatio}
        height={(size + foot) * devicePixelRatio}
        style={{ width: `${left + size}px`, height: `${size + foot}px` }}
        onMouseMove={pointed}
        onClick={pointed}
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
