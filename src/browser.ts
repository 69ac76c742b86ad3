/**
 * The engine in a page: `latentkit/browser`. A model is loaded from an address, from files or from the hub and runs in a worker;
 * sessions, options, results and errors are those of `latentkit` (docs/browser.md).
 */

export type { CacheCheck, CachedModel } from './cache/stored/manage.ts'
export { type KeptModel, listKept as keptModels, removeKept as removeKeptModel } from './checkpoint/web/kept-models.ts'
export type { PickedFile } from './checkpoint/web/picked-files.ts'
export * from './common.ts'
export { droppedFiles } from './engine/host/web/dropped-files.ts'
export { Engine, type WebLoadOptions } from './engine/host/web/engine.ts'
export { cachedModels, cacheFolders, removeCached, verifyCached } from './engine/host/web/kept-blocks.ts'
export {
  inspectSession,
  type KeptSession,
  listKeptSessions as keptSessions,
  removeKeptSession,
} from './engine/host/web/kept-sessions.ts'
export { type KeptStorage, keptStorage } from './engine/host/web/kept-storage.ts'
export { openTokenizer } from './engine/host/web/open-tokenizer.ts'
export type { FileHandle, FolderHandle, ModelSource } from './engine/host/web/source.ts'
export type { SessionInspection } from './engine/saved/inspect-session.ts'
