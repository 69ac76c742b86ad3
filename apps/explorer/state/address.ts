/** What is shown, as the address has it: `#/planner?model=R1&context=100000`. Every view restores itself from this alone. */
import { useEffect, useReducer } from 'preact/hooks'

export type Params = Readonly<Record<string, string>>

interface Address {
  /** Name of the view; empty for the first page. */
  readonly view: string
  readonly params: Params
}

/** Browsers refuse more than some hundred changes of the address within seconds; a slider makes more. */
const SETTLED_AFTER_MS = 250

let current = parse(location.hash)
let timer = 0
const watchers = new Set<() => void>()

function parse(hash: string): Address {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  return { view: path, params: Object.fromEntries(new URLSearchParams(query)) }
}

export function hashOf(view: string, params: Params = {}): string {
  const query = new URLSearchParams(params).toString()
  return `#/${view}${query && `?${query}`}`
}

const MODELS = ['open', 'open2']
const LASTING = [...MODELS, 'text', 'text2', 'beside']

/** What a link to another view takes along: the models, the texts, and whether two are side by side. */
export const lasting = (params: Params): Params => some(params, LASTING)

/** What a link takes along that brings a text of its own. */
export const models = (params: Params): Params => some(params, MODELS)

function some(params: Params, names: readonly string[]): Params {
  return Object.fromEntries(names.flatMap(name => (params[name] === undefined ? [] : [[name, params[name]]])))
}

addEventListener('hashchange', () => {
  clearTimeout(timer)
  show(parse(location.hash))
})

function show(address: Address): void {
  current = address
  for (const watcher of watchers) watcher()
}

/** Changes parameters of the view that is shown; undefined removes one. The history gets no entry. */
export function changeParams(change: Readonly<Record<string, string | undefined>>): void {
  const params = Object.fromEntries(
    Object.entries({ ...current.params, ...change }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  )
  clearTimeout(timer)
  timer = setTimeout(
    () => history.replaceState(history.state, '', hashOf(current.view, current.params)),
    SETTLED_AFTER_MS,
  )
  show({ ...current, params })
}

export function useAddress(): Address {
  const [, again] = useReducer((n: number) => n + 1, 0)
  useEffect(() => {
    const watcher = () => again(0)
    watchers.add(watcher)
    return () => void watchers.delete(watcher)
  }, [])
  return current
}
