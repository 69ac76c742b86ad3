/** A tokenizer beside that of the model: the user's file, of which no weights are read. */
import { useEffect, useReducer } from 'preact/hooks'
import type { Tokenizer } from '../../../src/browser.ts'
import { loadLatentkit } from '../numbers/latentkit.ts'
import { changeParams, useAddress } from './address.ts'

export type TokenizerState =
  | { readonly status: 'none' | 'loading' }
  | { readonly status: 'ready'; readonly name: string; readonly tokenizer: Tokenizer }
  | { readonly status: 'failed'; readonly message: string }
  /** The address names a file of the user, which a page cannot open by itself. */
  | { readonly status: 'missing'; readonly name: string }

let state: TokenizerState = { status: 'none' }
/** How many have been picked. */
let picked = 0
const watchers = new Set<() => void>()

function set(next: TokenizerState): void {
  state = next
  for (const watcher of watchers) watcher()
}

/** Reads what the user picked; the address has its name. */
export async function pickTokenizer(files: readonly File[]): Promise<void> {
  const own = ++picked
  const name = files[0]?.name ?? ''
  set({ status: 'loading' })
  changeParams({ tokenizer: name })
  try {
    const { openTokenizer } = await loadLatentkit()
    const tokenizer = await openTokenizer(files)
    if (own === picked) set({ status: 'ready', name, tokenizer })
  } catch (cause) {
    if (own === picked) set({ status: 'failed', message: (cause as Error).message })
  }
}

export function useTokenizer(): TokenizerState {
  const wanted = useAddress().params.tokenizer
  const [, again] = useReducer((n: number) => n + 1, 0)
  useEffect(() => {
    const watcher = () => again(0)
    watchers.add(watcher)
    return () => void watchers.delete(watcher)
  }, [])
  return state.status === 'none' && wanted !== undefined ? { status: 'missing', name: wanted } : state
}
