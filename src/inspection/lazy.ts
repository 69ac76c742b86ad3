/**
 * Tools beside the engine whose code is read at their first call: a program that only generates does not pay for them
 * when it starts.
 */
import type { CacheCheck, CachedModel } from '../cache/stored/manage.ts'
import type { ModelStore } from '../checkpoint/store/model-store.ts'
import type { SessionInspection } from '../engine/saved/inspect-session.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import type { Inspection, InspectOptions } from './inspect.ts'
import type { FindOptions } from './open-tokenizer.ts'
import type { PullOptions } from './pull.ts'
import type { MadeExpected, MakeExpectedOptions } from './verify/make.ts'
import type { VerifyOptions, VerifyReport } from './verify/verify.ts'

/**
 * Reads config.json and the headers of the weights. `source` is what `Engine.load` takes. Throws CheckpointError,
 * ConfigError, UnsupportedModelError, HubError, OptionError, the signal's reason.
 */
export async function inspectModel(source: string, options?: InspectOptions): Promise<Inspection> {
  return (await import('./inspect.ts')).inspectModel(source, options)
}

/**
 * Reads the tokenizer of a model, without its weights. `source` is what `Engine.load` takes. Throws CheckpointError,
 * TokenizerError, HubError, OptionError, the signal's reason.
 */
export async function openTokenizer(source: string, options?: FindOptions): Promise<Tokenizer> {
  return (await import('./open-tokenizer.ts')).openTokenizer(source, options)
}

/**
 * Computes the prompts of a checkpoint's `expected.safetensors` and compares logits, hidden states, attention and greedy
 * text with it. `folder` may be a GGUF file. A LatentkitError ends up in the report; throws the signal's reason.
 */
export async function verifyFolder(folder: string, options: VerifyOptions): Promise<VerifyReport> {
  return (await import('./verify/verify.ts')).verifyFolder(folder, options)
}

/**
 * Writes the numbers of a model as the file that `verifyFolder` reads: `expected.safetensors` in its folder, or
 * `NAME.expected.safetensors` beside a GGUF file. Throws what loading throws, OptionError, CheckpointError if the file
 * exists or cannot be written.
 */
export async function makeExpected(folder: string, options: MakeExpectedOptions): Promise<MadeExpected> {
  return (await import('./verify/make.ts')).makeExpected(folder, options)
}

/** Reads and checks a session's file, without a model. Throws SessionFileError. */
export async function inspectSession(path: string): Promise<SessionInspection> {
  const { NODE_SESSIONS } = await import('../engine/host/node/sessions.ts')
  return (await import('../engine/saved/inspect-session.ts')).inspectSession(NODE_SESSIONS, path)
}

/** The models with blocks in a cache folder, most recently used first; empty if the folder does not exist. */
export async function cachedModels(folder: string): Promise<readonly CachedModel[]> {
  return (await manage()).cachedModels(await diskPlace(folder))
}

/** Removes all blocks of these models from a cache folder. Returns the bytes freed. */
export async function removeCached(folder: string, fingerprints: readonly string[]): Promise<number> {
  return (await manage()).removeCached(await diskPlace(folder), fingerprints)
}

/** Reads every block of a cache folder and checks its checksum; changes nothing. */
export async function verifyCached(folder: string): Promise<CacheCheck> {
  return (await manage()).verifyCached(await diskPlace(folder))
}

/** Downloads a model into the hub's cache, or brings it up to date, and returns its path. Throws what `pull.ts` says. */
export async function pullModel(source: string, options: PullOptions): Promise<string> {
  return (await import('./pull.ts')).pullModel(source, options)
}

/** The models in a cache of the hub. */
export async function hubStore(cacheDir: string): Promise<ModelStore> {
  return (await import('../checkpoint/store/hub-store.ts')).hubStore(cacheDir)
}

/** The models in a folder, or in a cache of the hub if it is one. */
export async function openStore(folder: string): Promise<ModelStore> {
  return (await import('../checkpoint/store/open-store.ts')).openStore(folder)
}

const manage = () => import('../cache/stored/manage.ts')
const diskPlace = async (folder: string) => new (await import('../cache/disk/disk-place.ts')).DiskPlace(folder)
