/** All heads at once, on one canvas as large as the frame: only what is seen is drawn, however many there are. */
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { patternImage } from '../../drawing/attention-image.ts'
import { useTable } from '../../drawing/table.ts'
import { useWidth } from '../../drawing/use-width.ts'
import { type HeadPattern, MEASURES, type MeasureName } from './heads.ts'

interface Props {
  heads: readonly HeadPattern[]
  /** Query heads of a layer: a row where they fit. */
  perLayer: number
  /** How many there will be. */
  total: number
  /** Tokens that look. */
  tokens: number
  causal: boolean
  by: MeasureName | undefined
  selected: { readonly layer: number; readonly head: number }
  /** Ends the id of the chosen one. */
  suffix: string
  select: (head: HeadPattern) => void
}

const LEAST = 52
const MOST = 104
const GAP = 6
const LABEL = 16
const HEIGHT = 560
/** Pictures that are kept: some screens of them. */
const KEPT = 1500

export function Thumbnails(props: Props) {
  const { heads, perLayer, total, tokens, causal, by, selected, suffix, select } = props
  const { ref, width } = useWidth<HTMLDivElement>()
  const canvas = useRef<HTMLCanvasElement>(null)
  useTable(ref, () => ({
    columns: ['layer', 'head', ...Object.values(MEASURES).map(({ label }) => label)],
    rows: heads.map(({ layer, head, measures }) => [
      layer,
      head,
      ...(Object.keys(MEASURES) as MeasureName[]).map(name => measures?.[name] ?? ''),
    ]),
  }))
  const images = useMemo(() => new Map<HeadPattern, HTMLCanvasElement>(), [tokens, causal, heads[0]])
  const fits = by === undefined && perLayer * (LEAST + GAP) <= width
  const columns = fits ? perLayer : Math.max(Math.floor(width / (LEAST + 20 + GAP)), 1)
  const rows = Math.ceil(Math.max(heads.length, total) / columns)
  // All of them are seen at once where they are large enough then.
  const whole = Math.max(Math.floor(HEIGHT / rows) - LABEL - GAP, LEAST - LABEL)
  const wide = Math.min(Math.floor(width / columns) - GAP, MOST)
  const size = rows * (LEAST + GAP) <= HEIGHT + LEAST ? Math.min(whole, wide) : wide
  const step = size + LABEL + GAP
  const height = Math.min(HEIGHT, Math.max(rows * step, step))
  const at = Math.max(
    heads.findIndex(one => one.layer === selected.layer && one.head === selected.head),
    0,
  )

  const draw = () => {
    const frame = ref.current
    const target = canvas.current
    if (frame === null || target === null) return
    const fine = devicePixelRatio
    const context = target.getContext('2d')!
    context.setTransform(fine, 0, 0, fine, 0, 0)
    context.clearRect(0, 0, width, height)
    context.imageSmoothingEnabled = false
    const style = getComputedStyle(frame)
    context.font = `11px ${style.fontFamily}`
    const top = frame.scrollTop
    const last = Math.min(Math.ceil((top + height) / step) * columns, heads.length)
    for (let i = Math.floor(top / step) * columns; i < last; i++) {
      const one = heads[i] as HeadPattern
      const x = (i % columns) * (size + GAP)
      const y = Math.floor(i / columns) * step - top
      context.drawImage(imageOf(one), x, y, size, size)
      context.strokeStyle = style.getPropertyValue(i === at ? '--accent' : '--line')
      context.lineWidth = i === at ? 2.5 : 1
      context.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1)
      context.fillStyle = style.getPropertyValue(i === at ? '--ink' : '--quiet')
      context.fillText(labelOf(one, by, size), x + 1, y + size + 13)
    }
  }
  const imageOf = (one: HeadPattern): HTMLCanvasElement => {
    const found = images.get(one)
    if (found !== undefined) return found
    const image = patternImage(one, tokens, causal)
    images.set(one, image)
    if (images.size > KEPT) images.delete(images.keys().next().value as HeadPattern)
    return image
  }
  useEffect(draw)
  // A chosen theme changes the colours of lines and names.
  useEffect(() => {
    const observer = new MutationObserver(draw)
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
    return () => observer.disconnect()
  })

  const choose = (index: number) => {
    const next = heads[Math.min(Math.max(index, 0), heads.length - 1)]
    if (next !== undefined) select(next)
  }
  // The chosen one is in sight, also when the page begins with it.
  useEffect(() => {
    const frame = ref.current
    const y = Math.floor(at / columns) * step
    if (frame && y < frame.scrollTop) frame.scrollTop = y
    if (frame && y + step > frame.scrollTop + height) frame.scrollTop = y + step - height
  }, [at, columns, step, height])
  const keys: Readonly<Record<string, number>> = {
    ...{ ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns },
    ...{ Home: 0, End: heads.length - 1 },
    ...{ PageUp: at - columns * Math.floor(height / step), PageDown: at + columns * Math.floor(height / step) },
  }
  const one = heads[at]
  return (
    <div
      ref={ref}
      class="thumbnails"
      style={{ height: `${height}px` }}
      role="listbox"
      tabIndex={0}
      aria-label="Attention patterns of all heads"
      aria-activedescendant={`chosen-head${suffix}`}
      onScroll={draw}
      onKeyDown={event => {
        const next = keys[event.key]
        if (next === undefined) return
        event.preventDefault()
        choose(next)
      }}
      onClick={event => {
        const frame = event.currentTarget
        const box = frame.getBoundingClientRect()
        const column = Math.floor((event.clientX - box.left) / (size + GAP))
        const row = Math.floor((event.clientY - box.top + frame.scrollTop) / step)
        if (column < columns && row * columns + column < heads.length) choose(row * columns + column)
      }}
    >
      <canvas
        ref={canvas}
        width={width * devicePixelRatio}
        height={height * devicePixelRatio}
        style={{ width: `${width}px`, height: `${height}px` }}
      />
      <div class="spacer" style={{ height: `${Math.max(rows * step - height, 0)}px` }} />
      {one && (
        <div
          id={`chosen-head${suffix}`}
          class="hidden"
          role="option"
          aria-selected="true"
          tabIndex={-1}
          aria-setsize={heads.length}
          aria-posinset={at + 1}
        >
          {spoken(one)}
        </div>
      )}
    </div>
  )
}

function labelOf({ layer, head, measures }: HeadPattern, by: MeasureName | undefined, size: number): string {
  const place = `${layer}.${head}`
  const measured = by === undefined ? undefined : measures?.[by]
  return measured === undefined || measured === null || size < 50 ? place : `${place}  ${measured.toFixed(2)}`
}

function spoken({ layer, head, measures }: HeadPattern): string {
  const names = Object.keys(MEASURES) as MeasureName[]
  const parts = names
    .filter(name => (measures?.[name] ?? null) !== null)
    .map(name => `${MEASURES[name].label} ${measures?.[name]?.toFixed(2)}`)
  return `Layer ${layer}, head ${head}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`
}
