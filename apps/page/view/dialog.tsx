/** The frame of all dialogs. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useApp } from './hooks.ts'
import { Icon } from './icons.tsx'

interface Props {
  title: string
  kind?: 'sheet' | 'box'
  children: ComponentChildren
}

/** A modal dialog: the browser keeps the focus in it, and Escape or a click beside it closes it. */
export function Dialog({ title, kind = 'box', children }: Props) {
  const app = useApp()
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  const close = () => dialog.current?.close()
  return (
    <dialog
      ref={dialog}
      class={kind}
      aria-labelledby="dialog-title"
      onClose={() => app.openPanel(undefined)}
      onPointerDown={event => event.target === dialog.current && close()}
    >
      <div class="inside">
        <header>
          <h2 id="dialog-title">{title}</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
