import type { Filter } from './host.ts'
import { listFilters } from './lists.ts'
import { numberFilters } from './numbers.ts'
import { selectFilters } from './select.ts'
import { textFilters } from './texts.ts'

const named = new Map<string, Filter>([...textFilters, ...listFilters, ...numberFilters, ...selectFilters])

/** All filters by name: those of Jinja 3.1, with the `tojson` of transformers. */
export const filters: ReadonlyMap<string, Filter> = new Map([
  ...named,
  ['d', named.get('default')!],
  ['e', named.get('escape')!],
])
