/** What the apps of this repository need beyond the public API. No part of the package's exports: it may change at any time. */

export { CACHE_TYPE_NAMES, CACHE_TYPES_SHOWN } from './cache/types.ts'
export { onePathPerModel } from './checkpoint/gguf/part-names.ts'
export { hubSettings } from './checkpoint/hub/options.ts'
export { BEAM_OPTIONS, EMBED_OPTIONS, INFILL_TEXT, LOAD_OPTIONS, PROMPT_OPTIONS } from './engine/types/option-table.ts'
export { makeFolder } from './files/make-folder.ts'
export { beginPartial, endPartial } from './files/partial-files.ts'
export { fileTarget } from './files/target.ts'
export { type PooledAgreement, type PooledShare, poolAgreement } from './inspection/verify/pool.ts'
export { expectation, type Kind, type OptionRow, type OptionRows } from './options/kinds.ts'
export { nearest } from './options/nearest.ts'
export { printable } from './printable.ts'
