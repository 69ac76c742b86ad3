/** The field for a new message and its files. */
import { useEffect, useRef } from 'preact/hooks'
import { FileChip } from './file-chip.tsx'
import { useApp, useAppState } from './hooks.ts'
import { Icon } from './icons.tsx'

export function Composer() {
  const app = useApp()
  const area = useRef<HTMLTextAreaElement>(null)
  const picker = useRef<HTMLInputElement>(null)
  const conversation = useAppState(state => state.conversation.id)
  const answering = useAppState(state => state.answering.has(state.conversation.id))
  const draft = useAppState(state => state.draft)
  const files = useAppState(state => state.files)
  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) area.current?.focus()
  }, [conversation])
  const ready = !answering && (draft.trim() !== '' || files.length > 0)
  const send = () => ready && app.send(draft, files)
  return (
    <form
      class="composer"
      aria-label="New message"
      onSubmit={event => {
        event.preventDefault()
        send()
      }}
    >
      <div class="box">
        {files.length > 0 && (
          <ul class="files" aria-label="Files of this message">
            {files.map(file => (
              <FileChip key={file.name} file={file} remove={() => app.detach(file)} />
            ))}
          </ul>
        )}
        <div class="grow" data-text={draft}>
          <textarea
            id="composer"
            ref={area}
            value={draft}
            rows={1}
            aria-label="Message"
            placeholder="Write a message"
            onInput={event => app.setDraft(event.currentTarget.value)}
            onPaste={event => {
              const pasted = [...(event.clipboardData?.files ?? [])]
              if (pasted.length === 0) return
              event.preventDefault()
              void app.attach(pasted)
            }}
            onKeyDown={event => {
              if (event.isComposing) return
              if (event.key === 'Enter' && !event.shiftKey) {
                event.preventDefault()
                send()
              } else if (event.key === 'ArrowUp' && draft === '') {
                event.preventDefault()
                app.editLast()
              }
            }}
          />
        </div>
        <div class="bar">
          <button
            type="button"
            class="icon-button"
            aria-label="Add text files"
            title="Add text files, or drop them anywhere"
            onClick={() => picker.current?.click()}
          >
            <Icon name="attach" />
          </button>
          <input
            ref={picker}
            type="file"
            multiple
            hidden
            aria-label="Text files"
            onChange={() => {
              if (picker.current === null) return
              void app.attach([...(picker.current.files ?? [])])
              picker.current.value = ''
            }}
          />
          <span class="hint">{answering ? 'Esc stops' : 'Enter sends, Shift+Enter begins a line'}</span>
          {answering ? (
            <button type="button" class="send" aria-label="Stop" title="Stop (Esc)" onClick={() => app.stop()}>
              <Icon name="stop" />
            </button>
          ) : (
            <button type="submit" class="send" aria-label="Send" title="Send (Enter)" disabled={!ready}>
              <Icon name="send" />
            </button>
          )}
        </div>
      </div>
    </form>
  )
}
