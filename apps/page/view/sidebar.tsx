import { useEffect, useRef, useState } from 'preact/hooks'
import type { Summary } from '../talk/conversation.ts'
import { useApp, useAppState, useNarrow } from './hooks.ts'
import { Icon } from './icons.tsx'
import { saveFile } from './save-file.ts'

/** The list of conversations. On a phone it lies over the page. */
export function Sidebar({ open, close }: { open: boolean; close: () => void }) {
  const app = useApp()
  const summaries = useAppState(state => state.summaries)
  const current = useAppState(state => state.conversation.id)
  const answering = useAppState(state => state.answering)
  const narrow = useNarrow()
  const closeIfNarrow = () => narrow && close()
  return (
    <>
      {open && narrow && <button type="button" class="backdrop" aria-label="Close the list" onClick={close} />}
      <nav class={open ? 'sidebar open' : 'sidebar'} aria-label="Conversations" inert={!open}>
        <header>
          <p class="brand">latentkit</p>
          <button type="button" class="icon-button" aria-label="Close the list" title="Close the list" onClick={close}>
            <Icon name="menu" />
          </button>
        </header>
        <button
          type="button"
          class="new"
          onClick={() => {
            app.begin()
            closeIfNarrow()
          }}
        >
          <Icon name="plus" /> New conversation
        </button>
        <ul>
          {summaries.map(summary => (
            <Entry
              key={summary.id}
              summary={summary}
              current={summary.id === current}
              answering={answering.has(summary.id)}
              opened={closeIfNarrow}
            />
          ))}
        </ul>
        {summaries.length === 0 && <p class="hint">Conversations are kept in this browser.</p>}
        <footer>
          <ImportButton />
          <button
            type="button"
            class="quiet"
            disabled={summaries.length === 0}
            onClick={async () => saveFile(await app.export())}
          >
            Export all
          </button>
        </footer>
      </nav>
    </>
  )
}

interface EntryProps {
  summary: Summary
  current: boolean
  answering: boolean
  opened: () => void
}

function Entry({ summary, current, answering, opened }: EntryProps) {
  const app = useApp()
  const [renaming, setRenaming] = useState(false)
  const { id, title } = summary
  if (renaming)
    return (
      <li class="current">
        <Rename
          title={title}
          done={changed => {
            setRenaming(false)
            if (changed !== undefined) void app.rename(id, changed)
          }}
        />
      </li>
    )
  return (
    <li class={current ? 'current' : ''}>
      <a
        href={`#${id}`}
        aria-current={current ? 'page' : undefined}
        title={title}
        onClick={event => {
          event.preventDefault()
          void app.open(id)
          opened()
        }}
        onDblClick={() => setRenaming(true)}
      >
        {answering && <span class="pulse" role="img" aria-label="An answer arrives" />}
        {title}
      </a>
      <Menu label={`Actions for ${title}`}>
        <button type="button" role="menuitem" onClick={() => setRenaming(true)}>
          <Icon name="edit" /> Rename
        </button>
        <button type="button" role="menuitem" onClick={async () => saveFile(await app.export(id))}>
          <Icon name="save" /> Export as JSON
        </button>
        <button type="button" role="menuitem" class="danger" onClick={() => void app.remove(id)}>
          <Icon name="trash" /> Delete
        </button>
      </Menu>
    </li>
  )
}

function Rename({ title, done }: { title: string; done: (title: string | undefined) => void }) {
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => input.current?.select(), [])
  return (
    <input
      ref={input}
      class="rename"
      aria-label="Name of the conversation"
      defaultValue={title}
      onBlur={event => done(event.currentTarget.value)}
      onKeyDown={event => {
        if (event.key === 'Enter') done(event.currentTarget.value)
        if (event.key === 'Escape') {
          event.stopPropagation()
          done(undefined)
        }
      }}
    />
  )
}

/** A button with a menu that closes on choice, on Escape and on a click elsewhere. */
function Menu({ label, children }: { label: string; children: preact.ComponentChildren }) {
  const [open, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!open) return
    root.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus()
    const elsewhere = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false)
    }
    document.addEventListener('pointerdown', elsewhere)
    return () => document.removeEventListener('pointerdown', elsewhere)
  }, [open])
  const close = () => {
    setOpen(false)
    root.current?.querySelector('button')?.focus()
  }
  return (
    <div class="menu" ref={root}>
      <button
        type="button"
        class="icon-button"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="more" />
      </button>
      {open && (
        <div
          role="menu"
          tabIndex={-1}
          onClick={() => setOpen(false)}
          onKeyDown={event => {
            if (event.key === 'Escape') {
              event.stopPropagation()
              close()
            }
            if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
              event.preventDefault()
              moveFocus(event.currentTarget, event.key === 'ArrowDown' ? 1 : -1)
            }
          }}
        >
          {children}
        </div>
      )}
    </div>
  )
}

function moveFocus(menu: HTMLElement, by: number): void {
  const items = [...menu.querySelectorAll<HTMLElement>('[role=menuitem]')]
  const at = items.indexOf(document.activeElement as HTMLElement)
  items.at((at + by) % items.length)?.focus()
}

function ImportButton() {
  const app = useApp()
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <button type="button" class="quiet" onClick={() => input.current?.click()}>
        Import
      </button>
      <input
        ref={input}
        type="file"
        accept="application/json,.json"
        hidden
        aria-label="A file of exported conversations"
        onChange={async event => {
          const { files } = event.currentTarget
          const file = files?.[0]
          if (file !== undefined) await app.import(await file.text())
          if (input.current !== null) input.current.value = ''
        }}
      />
    </>
  )
}
