/** What the apps of this repository need beyond the public API. No part of the package's exports: it may change at any time. */

export { CACHE_TYPE_NAMES, CACHE_TYPES_SHOWN } from './cache/types.ts'
export { svgChart } from './charts/lazy.ts'
export { type Point, rangesOf, type Series } from './charts/series.ts'
export { meantModel } from './checkpoint/find/meant-model.ts'
export { onePathPerModel } from './checkpoint/gguf/part-names.ts'
export { parseModelName, writeModelName } from './checkpoint/hub/model-name.ts'
export { hubSettings, tokenFile } from './checkpoint/hub/options.ts'
export type { ModelStore, StoredModel } from './checkpoint/store/model-store.ts'
export { BEAM_OPTIONS } from './engine/types/options/continued.ts'
export { INFILL_TEXT } from './engine/types/options/input.ts'
export { LOAD_OPTIONS } from './engine/types/options/load.ts'
export { OUTPUT_OPTIONS } from './engine/types/options/output.ts'
export { PROMPT_OPTIONS } from './engine/types/options/prompt.ts'
export { EMBED_OPTIONS, RERANK_OPTIONS } from './engine/types/options/vectors.ts'
export { makeFolder, PRIVATE_FOLDER } from './files/make-folder.ts'
export { beginPartial, endPartial } from './files/partial-files.ts'
export { reserve } from './files/reserve.ts'
export { fileTarget } from './files/target.ts'
export { hubStore, openStore, pullModel } from './inspection/lazy.ts'
export { type PooledAgreement, type PooledShare, poolAgreement } from './inspection/verify/pool.ts'
export { KERNEL_SETS, type KernelSet } from './kernels/contract/kernels.ts'
export { LATENTIFY_OPTIONS } from './latentify/options.ts'
export {
  anyText,
  choice,
  expectation,
  flag,
  type Kind,
  list,
  number,
  type OptionRow,
  type OptionRows,
  type OptionTable,
  text,
  whole,
} from './options/kinds.ts'
export { nearest } from './options/nearest.ts'
export { readArgument, readOptions } from './options/read-options.ts'
export { pickRows, withoutRows } from './options/rows.ts'
export { printable } from './printable.ts'
export { CHOOSING, NOT_WITH_MIROSTAT } from './sampling/options.ts'
export { TRAIN_OPTIONS } from './training/run/options.ts'
export { TOKENIZER_OPTIONS } from './training/run/train-tokenizer.ts'
