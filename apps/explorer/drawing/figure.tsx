/** The frame of every picture: what it shows, and a way to save it. */
import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import { saveCanvas, saveCanvasInSvg, saveFrame, savePng, saveSvg } from './save.ts'

interface Props {
  title: string
  /** Name of the saved file, without its ending. */
  file: string
  children: ComponentChildren
  /** false: words, which need not be saved as a picture. Default true. */
  picture?: boolean
  /** What the picture says, in a sentence. */
  note?: ComponentChildren
}

export function Figure({ title, file, picture = true, children, note }: Props) {
  const frame = useRef<HTMLDivElement>(null)
  const save = (kind: 'svg' | 'png') => {
    const svg = frame.current?.querySelector('svg')
    const canvas = frame.current?.querySelector('canvas')
    if (frame.current?.querySelector('[data-drawn]')) void saveFrame(frame.current, kind, file)
    else if (svg) void (kind === 'svg' ? saveSvg(svg, file) : savePng(svg, file))
    else if (canvas) void (kind === 'svg' ? saveCanvasInSvg(canvas, file) : saveCanvas(canvas, file))
  }
  return (
    <figure class="figure">
      <figcaption>
        <h3>{title}</h3>
        {picture && (
          <span class="saves">
            <button type="button" class="quiet" onClick={() => save('svg')} aria-label={`Save “${title}” as SVG`}>
              SVG
            </button>
            <button type="button" class="quiet" onClick={() => save('png')} aria-label={`Save “${title}” as PNG`}>
              PNG
            </button>
          </span>
        )}
      </figcaption>
      <div ref={frame} class="drawn">
        {children}
      </div>
      {note && <p class="hint">{note}</p>}
    </figure>
  )
}
