/** What is wider than the page scrolls within a frame of its own, by keyboard too. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface Props {
  label: string
  children: ComponentChildren
  /** What shall be seen, as pixels from the left. Default: the beginning. */
  seen?: number
}

/** Room beside what shall be seen. */
const AROUND = 60

export function ScrollBox({ label, children, seen = 0 }: Props) {
  const ref = useRef<HTMLElement>(null)
  useEffect(() => {
    const box = ref.current
    if (box) box.scrollLeft = seen + AROUND - box.clientWidth
  }, [seen])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a frame that scrolls has to be reached by keyboard (WCAG 2.1.1)
    <section ref={ref} class="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  )
}
