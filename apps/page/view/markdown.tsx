import { useLayoutEffect, useRef } from 'preact/hooks'
import { GrowingMarkdown } from '../markdown/growing.ts'

/** A text in Markdown. Only what is new is drawn when it grows. */
export function Markdown({ text, ended }: { text: string; ended: boolean }) {
  const root = useRef<HTMLDivElement>(null)
  const growing = useRef<GrowingMarkdown>(undefined)
  useLayoutEffect(() => {
    if (root.current === null) return
    growing.current ??= new GrowingMarkdown(root.current)
    growing.current.update(text, ended)
  }, [text, ended])
  return <div class="markdown" ref={root} />
}
