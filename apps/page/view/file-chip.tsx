/** A file of a message: its name, its size, a button to remove it. */
import type { TextFile } from '../talk/conversation.ts'
import { Icon } from './icons.tsx'

export function FileChip({ file, remove }: { file: TextFile; remove?: () => void }) {
  const size = file.text.length < 1000 ? `${file.text.length} characters` : `${Math.round(file.text.length / 1000)} KB`
  return (
    <li class="chip">
      <Icon name="file" />
      <span class="name">{file.name}</span>
      <span class="hint">{size}</span>
      {remove !== undefined && (
        <button type="button" class="icon-button" aria-label={`Remove ${file.name}`} onClick={remove}>
          <Icon name="close" />
        </button>
      )}
    </li>
  )
}
