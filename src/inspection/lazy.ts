/**
 * Tools beside the engine whose code is read at their first call: a program that only generates does not pay for them
 * when it starts.
 */
import type { SessionInspection } from '../engine/saved/inspect-session.ts'

type Inspect = typeof import('./inspect.ts').inspectModel
type Verify = typeof import('./verify/verify.ts').verifyFolder
type MakeExpected = typeof import('./verify/make.ts').makeExpected
type Manage = typeof import('../cache/disk/manage.ts')
type OpenTokenizer = typeof import('./open-tokenizer.ts').openTokenizer

/** Reads config.json and the headers of the weights. Throws CheckpointError, ConfigError, UnsupportedModelError. */
export const inspectModel: Inspect = async (...args) => (await import('./inspect.ts')).inspectModel(...args)

/** The tokenizer of a model, without its weights. Throws CheckpointError, TokenizerError. */
export const openTokenizer: OpenTokenizer = async (...args) =>
  (await import('./open-tokenizer.ts')).openTokenizer(...args)

/** A checkpoint's numbers against another engine's. Never throws for a bad checkpoint: the report says what was wrong. */
export const verifyFolder: Verify = async (...args) => (await import('./verify/verify.ts')).verifyFolder(...args)

/** A model's numbers as a file that `verifyFolder` reads. Throws what loading throws, OptionError, CheckpointError. */
export const makeExpected: MakeExpected = async (...args) => (await import('./verify/make.ts')).makeExpected(...args)

/** What a session's file holds, without a model. Throws SessionFileError. */
export async function inspectSession(path: string): Promise<SessionInspection> {
  const { NODE_SESSIONS } = await import('../engine/host/node/sessions.ts')
  return (await import('../engine/saved/inspect-session.ts')).inspectSession(NODE_SESSIONS, path)
}

/** What a cache folder keeps, by model, the last used first. */
export const cachedModels: Manage['cachedModels'] = async folder =>
  (await import('../cache/disk/manage.ts')).cachedModels(folder)

/** Removes what a cache folder keeps of models, by fingerprint; says how many bytes that were. */
export const removeCached: Manage['removeCached'] = async (...args) =>
  (await import('../cache/disk/manage.ts')).removeCached(...args)

/** Reads every block of a cache folder and checks it; changes nothing. */
export const verifyCached: Manage['verifyCached'] = async folder =>
  (await import('../cache/disk/manage.ts')).verifyCached(folder)
