/**
 * Every operation, stated once for all kernel sets and both languages: what it means, its record, the checks of its
 * arguments, its work.
 * `npm run build:records` writes from here the recorder of the core and the headers opcodes.h, records.h and types.h of
 * native/core. The letters are those of the contract (`contract/kernels.ts`).
 */
import * as attention from './attention.ts'
import * as cache from './cache.ts'
import * as experts from './experts.ts'
import * as norms from './norms.ts'
import * as pointwise from './pointwise.ts'
import * as prepare from './prepare.ts'
import * as products from './products.ts'
import * as rope from './rope.ts'
import * as rows from './rows.ts'
import * as selection from './selection.ts'
import * as states from './states.ts'
import * as training from './training.ts'

/** Those of the contract. */
export const OPERATIONS = {
  ...rows,
  ...norms,
  ...products,
  ...pointwise,
  ...rope,
  ...cache,
  ...attention,
  ...experts,
  ...training,
  ...selection,
  ...states,
}

/** The operations as a kernel set has them. */
export type Operations = {
  readonly [Name in keyof typeof OPERATIONS]: (...args: Parameters<(typeof OPERATIONS)[Name]['from']>) => void
}

/** Those of the core alone. */
export const PREPARATIONS = prepare

const GROUPS = [rows, norms, products, pointwise, rope, cache, attention, experts, training, selection, states, prepare]

/** Names in the order of the opcodes. (What order a module's exports have is not the same everywhere.) */
export const OPERATION_NAMES: readonly string[] = GROUPS.flatMap(group => Object.keys(group).sort())

/** Those that only training records: the WebAssembly modules that pages load are built without them. */
export const TRAINING_NAMES: readonly string[] = OPERATION_NAMES.filter(
  name =>
    name.endsWith('Backward') ||
    name.startsWith('training') ||
    name in training ||
    ['scatterRows', 'sumHeads', 'sumRows'].includes(name),
)
