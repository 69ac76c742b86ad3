/** A message of the user, and its editor. */
import { useEffect, useRef } from 'preact/hooks'
import type { UserTurn } from '../talk/conversation.ts'
import { CopyButton } from './copy-button.tsx'
import { FileChip } from './file-chip.tsx'
import { useApp, useAppState } from './hooks.ts'
import { Icon } from './icons.tsx'
import { Versions } from './versions.tsx'

interface Props {
  turn: UserTurn
  versions: readonly string[]
  busy: boolean
}

export function UserView({ turn, versions, busy }: Props) {
  const app = useApp()
  const editing = useAppState(state => state.editing === turn.id)
  if (editing) return <Editor turn={turn} />
  return (
    <article class="user" aria-label="You">
      {turn.files.length > 0 && (
        <ul class="files">
          {turn.files.map(file => (
            <FileChip key={file.name} file={file} />
          ))}
        </ul>
      )}
      {turn.text !== '' && <div class="bubble">{turn.text}</div>}
      <div class="actions">
        <Versions id={turn.id} versions={versions} busy={busy} />
        <CopyButton text={() => turn.text} label="Copy message" />
        <button
          type="button"
          class="icon-button"
          aria-label="Edit message"
          title="Edit"
          disabled={busy}
          onClick={() => app.startEditing(turn.id)}
        >
          <Icon name="edit" />
        </button>
      </div>
    </article>
  )
}

function Editor({ turn }: { turn: UserTurn }) {
  const app = useApp()
  const area = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    area.current?.focus()
    area.current?.setSelectionRange(turn.text.length, turn.text.length)
  }, [turn])
  const send = () => {
    const text = area.current?.value ?? ''
    if (text.trim() !== '' || turn.files.length > 0) app.edit(turn, text, turn.files)
  }
  return (
    <article class="user editing" aria-label="You">
      <textarea
        ref={area}
        aria-label="Edit message"
        defaultValue={turn.text}
        rows={3}
        onKeyDown={event => {
          if (event.isComposing) return
          if (event.key === 'Enter' && !event.shiftKey) {
            event.preventDefault()
            send()
          }
          if (event.key === 'Escape') {
            event.preventDefault()
            app.startEditing(undefined)
          }
        }}
      />
      <div class="buttons">
        <button type="button" class="quiet" onClick={() => app.startEditing(undefined)}>
          Cancel
        </button>
        <button type="button" class="primary" onClick={send}>
          Send
        </button>
      </div>
    </article>
  )
}
