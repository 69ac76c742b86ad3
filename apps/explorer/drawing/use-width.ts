import type { RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

/** The width of an element in CSS pixels, so that pictures are drawn for it and their text keeps its size. */
export function useWidth<T extends HTMLElement>(): { ref: RefObject<T | null>; width: number } {
  const ref = useRef<T>(null)
  const [width, setWidth] = useState(640)
  // Before it is painted: a picture of another width would move what is below it.
  useLayoutEffect(() => {
    const element = ref.current
    if (element === null) return
    setWidth(Math.round(element.clientWidth))
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.round(entry.contentRect.width)))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return { ref, width }
}
