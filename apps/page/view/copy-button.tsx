/** A button that copies a text and shows whether it could. */
import { useState } from 'preact/hooks'
import { copyText } from '../clipboard.ts'
import { Icon } from './icons.tsx'

export function CopyButton({ text, label }: { text: () => string; label: string }) {
  const [said, setSaid] = useState<string>()
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={said ?? label}
      title={said ?? 'Copy'}
      onClick={async () => {
        setSaid((await copyText(text())) ? 'Copied' : 'Not copied')
        setTimeout(() => setSaid(undefined), 1500)
      }}
    >
      <Icon name={said === 'Copied' ? 'done' : 'copy'} />
    </button>
  )
}
