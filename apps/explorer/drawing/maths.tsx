/** A formula as MathML, drawn by the browser's own fonts. */

import { useEffect, useRef } from 'preact/hooks'
import temml from 'temml'

export function Maths({ source, display = false }: { source: string; display?: boolean }) {
  const ref = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    if (ref.current) temml.render(source, ref.current, { displayMode: display, throwOnError: true })
  }, [source, display])
  return <span ref={ref} class={display ? 'maths display' : 'maths'} />
}

/** A text in which the names of matrices, such as `W_UK`, are typeset. */
export function WithMatrices({ text }: { text: string }) {
  const parts = text.split(/W_([A-Z]+)/)
  return <>{parts.map((part, i) => (i % 2 === 0 ? part : <Maths key={String(i)} source={`W_{${part}}`} />))}</>
}
