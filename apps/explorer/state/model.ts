/** The models that the views look into: one, and for two side by side another; each loaded when a view first needs it. */
import { useEffect, useReducer } from 'preact/hooks'
import type { Numbers } from '../numbers/numbers.ts'
import { BUNDLED, modelInNode, openNumbers, type Slot } from '../numbers/open.ts'
import { changeParams, useAddress } from './address.ts'
import { Readings } from './readings.ts'

export type ModelState =
  | { readonly status: 'none' }
  | { readonly status: 'loading'; readonly part: number }
  | { readonly status: 'ready'; readonly numbers: Numbers }
  | { readonly status: 'failed'; readonly message: string }
  /** The address names a file of the user, which a page cannot open by itself. */
  | { readonly status: 'missing'; readonly file: string }

export type { Slot }

/** The parameter of the address that names each slot's model: an address below the page's own, or `file:NAME`. */
const PARAMETERS = { main: 'open', beside: 'open2' } as const
/** The name of what is opened without being asked for: the slot's model in Node, or the bundled one. */
export const USUAL = ''
const FILE = 'file:'

class OpenModel {
  readonly #slot: Slot
  state: ModelState = { status: 'none' }
  /** What the address calls the model. */
  name: string | undefined
  readings = new Readings()
  readonly watchers = new Set<() => void>()
  /** How many models have been opened. */
  #opened = 0

  constructor(slot: Slot) {
    this.#slot = slot
  }

  set(next: ModelState): void {
    this.state = next
    for (const watcher of this.watchers) watcher()
  }

  /** In place of the model that was there. */
  async open(name: string, files?: readonly File[]): Promise<void> {
    const before = this.state
    const own = ++this.#opened
    // Another one may be chosen while this loads.
    const setOwn = (next: ModelState) => own === this.#opened && this.set(next)
    this.name = name
    this.readings = new Readings()
    this.set({ status: 'loading', part: 0 })
    if (before.status === 'ready') void before.numbers.dispose()
    if (files === undefined && name.startsWith(FILE)) return this.set({ status: 'missing', file: name.slice(5) })
    try {
      const numbers = await openNumbers(files ?? (name === USUAL ? undefined : checkedAddress(name)), this.#slot, {
        onPart: part => setOwn({ status: 'loading', part }),
        onLost: message => setOwn({ status: 'failed', message }),
      })
      if (own === this.#opened) this.set({ status: 'ready', numbers })
      else await numbers.dispose()
    } catch (cause) {
      setOwn({ status: 'failed', message: (cause as Error).message })
    }
  }
}

const slots: Readonly<Record<Slot, OpenModel>> = {
  main: new OpenModel('main'),
  beside: new OpenModel('beside'),
}

/** Addresses come from links: they open what is served with this page, and nothing of another host. */
function checkedAddress(name: string): string {
  if (new URL(name, document.baseURI).origin === location.origin && /^\.?\//.test(name)) return name
  throw new Error(
    `The address asks for the model ${name}; expected one that is served with this page, such as ${BUNDLED}`,
  )
}

/** Loads what the user picked, or a model served with the page; the address names it. */
export function openModel(source: readonly File[] | string, slot: Slot = 'main'): void {
  // The engine calls the model by the first file, which shall be the weights.
  const files = typeof source === 'string' ? undefined : [...source].sort((a, b) => order(a) - order(b))
  const name = typeof source === 'string' ? usual(source, slot) : FILE + nameOf(files ?? [])
  void slots[slot].open(name, files)
  changeParams({ [PARAMETERS[slot]]: name === USUAL ? undefined : name })
}

function usual(name: string, slot: Slot): string {
  return name === BUNDLED && modelInNode(slot) === undefined ? USUAL : name
}

function order({ name }: File): number {
  return /\.(gguf|safetensors)$/.test(name) ? 0 : 1
}

function nameOf([first]: readonly File[]): string {
  return first?.webkitRelativePath.split('/')[0] || (first?.name ?? '')
}

/** The model as it is now. The first view that needs one loads it: what the address names, else the one in Node or the bundled one. */
export function useModel(slot: Slot = 'main'): ModelState {
  const model = slots[slot]
  const wanted = useAddress().params[PARAMETERS[slot]]
  const [, again] = useReducer((n: number) => n + 1, 0)
  useEffect(() => {
    const watcher = () => again(0)
    model.watchers.add(watcher)
    return () => void model.watchers.delete(watcher)
  }, [model])
  useEffect(() => {
    const name = wanted === undefined ? (model.name ?? USUAL) : usual(wanted, slot)
    if (name !== model.name) void model.open(name)
  }, [model, wanted, slot])
  return model.state
}

/** The texts that the slot's model has read. */
export function readingsOf(slot: Slot): Readings {
  return slots[slot].readings
}

/** Another view is shown: the texts of the one before it are freed, but those that both show. */
export function freeReadings(): void {
  for (const { readings } of Object.values(slots)) readings.free()
}
