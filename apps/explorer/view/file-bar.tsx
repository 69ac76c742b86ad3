/** A bar that says what is open of the user's own files, with a button to pick others. */
import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'

interface Props {
  /** What the files are picked for. */
  slot: string
  /** On the button that picks. */
  label: string
  /** Endings of names, as an `<input>` takes them. */
  accept: string
  /** What may be picked, for screen readers. */
  expected: string
  pick: (files: readonly File[]) => void
  /** On a button that picks a folder, where browsers can. */
  folderLabel?: string
  /** What is open. */
  children: ComponentChildren
  /** Further buttons, before the one that picks. */
  buttons?: ComponentChildren
}

export function FileBar({ slot, label, accept, expected, pick, folderLabel, children, buttons }: Props) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <div class="model-bar" data-slot={slot}>
      <p role="status">{children}</p>
      <span class="model-buttons">
        {buttons}
        <button type="button" class="quiet" onClick={() => input.current?.click()}>
          {label}
        </button>
        {folderLabel !== undefined && 'webkitdirectory' in HTMLInputElement.prototype && (
          <button type="button" class="quiet" onClick={() => pickFolder(pick)}>
            {folderLabel}
          </button>
        )}
      </span>
      <input
        ref={input}
        type="file"
        class="hidden"
        multiple
        tabIndex={-1}
        accept={accept}
        aria-label={expected}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])]
          // The same file may be picked again.
          currentTarget.value = ''
          if (files.length > 0) pick(files)
        }}
      />
    </div>
  )
}

function pickFolder(pick: Props['pick']): void {
  const input = document.createElement('input')
  input.type = 'file'
  input.webkitdirectory = true
  input.onchange = () => input.files?.length && pick([...input.files])
  input.click()
}

/** Of a file that the address names. */
export function PickAgain({ name }: { name: string }) {
  return (
    <>
      <strong>{name}</strong> <span class="hint">is a file of yours: a page opens it only when you pick it again.</span>
    </>
  )
}
