/** One of two columns, or the only one. */
import type { Slot } from '../../state/model.ts'

export interface Side {
  readonly slot: Slot
  readonly text: string
  /** Ends what may be only once in a page, such as an id. */
  readonly suffix: '' | '2'
  /** Beside another one: what it is called. */
  readonly label: string | undefined
  /** The parameter with the token that looks: two texts have one each, two models share it. */
  readonly query: 'query' | 'query2'
  /** The same of the token that is looked at. */
  readonly key: 'key' | 'key2'
}

export function only(text: string): Side {
  return { slot: 'main', text, suffix: '', label: undefined, query: 'query', key: 'key' }
}
