/** The model that the views look into, loaded when the first of them needs it, and texts that it has read. */
import { useEffect, useReducer, useState } from 'preact/hooks'
import type { ReadingChange } from '../../../src/browser.ts'
import { loadInPage } from '../numbers/in-page.ts'
import type { Numbers, TextReading } from '../numbers/numbers.ts'

export type ModelState =
  | { readonly status: 'none' }
  | { readonly status: 'loading'; readonly part: number }
  | { readonly status: 'ready'; readonly numbers: Numbers }
  | { readonly status: 'failed'; readonly message: string }

let state: ModelState = { status: 'none' }
/** How many models have been opened. */
let opened = 0
const watchers = new Set<() => void>()
/** Texts read last, the newest last. Each keeps its hidden states in the engine. */
const readings = new Map<string, Promise<TextReading>>()
const MOST_READINGS = 4
/** What views show now: it is kept, however many texts came after it. */
const shown = new Set<{ readonly name: string }>()
/** While a text is typed, it is not read. */
const TYPED_AFTER_MS = 350

function set(next: ModelState): void {
  state = next
  for (const watcher of watchers) watcher()
}

/** Loads what the user picked, or the bundled model, in place of the model that was there. */
export async function openModel(files?: readonly File[]): Promise<void> {
  const before = state
  const own = ++opened
  // Another one may be chosen while this loads.
  const setOwn = (next: ModelState) => own === opened && set(next)
  set({ status: 'loading', part: 0 })
  readings.clear()
  if (before.status === 'ready') void before.numbers.dispose()
  try {
    const numbers = await loadInPage(files, part => setOwn({ status: 'loading', part }))
    if (own === opened) set({ status: 'ready', numbers })
    else await numbers.dispose()
  } catch (cause) {
    setOwn({ status: 'failed', message: (cause as Error).message })
  }
}

/** The model as it is now. The first view that wants one has it loaded. */
export function useModel(): ModelState {
  const [, again] = useReducer((n: number) => n + 1, 0)
  useEffect(() => {
    const watcher = () => again(0)
    watchers.add(watcher)
    if (state.status === 'none') void openModel()
    return () => void watchers.delete(watcher)
  }, [])
  return state
}

export interface ReadState {
  /** The reading of the text, or of an earlier one while this is read. */
  readonly reading: TextReading | undefined
  readonly busy: boolean
  readonly problem: string | undefined
}

/** The text as the model reads it, or would with changes. */
export function useReading(text: string, changes: readonly ReadingChange[] = []): ReadState {
  const name = JSON.stringify([text, changes])
  const model = useModel()
  const [read, setRead] = useState<ReadState>({ reading: undefined, busy: true, problem: undefined })
  const numbers = model.status === 'ready' ? model.numbers : undefined
  useEffect(() => {
    if (numbers === undefined) return
    let wanted = true
    const own = { name }
    shown.add(own)
    setRead(({ reading }) => ({ reading, busy: true, problem: undefined }))
    const done = (next: ReadState) => wanted && setRead(next)
    const begin = () =>
      readingOf(numbers, name).then(
        reading => done({ reading, busy: false, problem: undefined }),
        cause => done({ reading: undefined, busy: false, problem: (cause as Error).message }),
      )
    const timer = setTimeout(begin, readings.has(name) || readings.size === 0 ? 0 : TYPED_AFTER_MS)
    return () => {
      wanted = false
      shown.delete(own)
      clearTimeout(timer)
    }
  }, [numbers, name])
  return read
}

function readingOf(numbers: Numbers, name: string): Promise<TextReading> {
  const found = readings.get(name)
  readings.delete(name)
  const [text, changes] = JSON.parse(name) as [string, readonly ReadingChange[]]
  const reading = found ?? numbers.read(text, changes)
  readings.set(name, reading)
  // What failed is tried again.
  reading.catch(() => readings.get(name) === reading && readings.delete(name))
  const inUse = new Set([...shown].map(one => one.name))
  for (const [other, old] of [...readings].slice(0, -MOST_READINGS)) {
    if (inUse.has(other)) continue
    readings.delete(other)
    void old.then(
      one => one.dispose(),
      () => undefined,
    )
  }
  return reading
}
