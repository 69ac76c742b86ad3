/** A vector as a strip: a stripe for each number, blue below zero and orange above, white at zero. */
import { useEffect, useRef } from 'preact/hooks'
import { WithMatrices } from './maths.tsx'
import { useTable } from './table.ts'

interface Props {
  label: string
  values: Float32Array
  /** Where the part that rope rotated is: marked below the strip. */
  rope?: readonly [from: number, to: number] | undefined
}

/** The ends of the scale, by Okabe and Ito. */
const BELOW = [0, 114, 178] as const
const ABOVE = [213, 94, 0] as const

/** What its colours mean. */
export const SIGNS = 'A stripe for each number: blue below 0, orange above, white at 0.'

export function Strip({ label, values, rope }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const frame = useRef<HTMLDivElement>(null)
  useTable(frame, () => ({ columns: ['index', label], rows: Array.from(values, (value, i) => [i, value]) }))
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (!context) return
    const image = context.createImageData(values.length, 1)
    for (const [i, value] of values.entries()) {
      const share = Math.sqrt(Math.abs(value) / most)
      const end = value < 0 ? BELOW : ABOVE
      image.data.set([...end.map(part => 255 + (part - 255) * share), 255], i * 4)
    }
    context.putImageData(image, 0, 0)
  }, [values, most])
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
  const measure = `${values.length} numbers, norm ${norm.toPrecision(3)}`
  return (
    <div ref={frame} class="strip">
      <p>
        <span data-drawn={label}>
          <WithMatrices text={label} />
        </span>{' '}
        <span class="hint" data-drawn={measure}>
          {measure}
        </span>
      </p>
      <canvas ref={canvas} width={values.length} height={1} role="img" aria-label={`${label}: ${spoken(values)}`} />
      {rope && rope[1] > rope[0] && (
        <div
          class="rope-mark"
          style={{ '--from': rope[0] / values.length, '--part': (rope[1] - rope[0]) / values.length }}
        >
          <span data-drawn="rope">rope</span>
        </div>
      )}
    </div>
  )
}

function spoken(values: Float32Array): string {
  const first = [...values.slice(0, 4)].map(value => value.toPrecision(3)).join(', ')
  return `${first} … ${values.length} numbers`
}
