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
