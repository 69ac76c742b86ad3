/**
 * The only place that reads environment variables, except LATENTKIT_ADDON, which names another build of the core
 * (native/README.md). Flags take precedence. The rooms below receive values.
 */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { InvalidArgumentError } from 'commander'
import { LOAD_OPTIONS, nearest } from '../../src/for-apps.ts'
import type { CacheTypeName, EncodableType, KernelChoice } from '../../src/index.ts'
import { UsageError } from './exit.ts'
import type { LoadFlags } from './options/load.ts'
import { bytes, flag, ofKind, tokens } from './options/parsers.ts'

type Env = Readonly<Record<string, string | undefined>>

/** For `--help`. */
export const VARIABLES: readonly (readonly [string, string])[] = [
  ['LATENTKIT_MODEL', 'the model where none is named'],
  ['LATENTKIT_<FLAG>', 'kernels, threads, isa, cache type, weights, exact,'],
  ['', 'context, chunk, cache bytes, cache dir bytes,'],
  ['', 'offline, debug: as LATENTKIT_THREADS=1'],
  ['LATENTKIT_API_KEY', 'the key that serve wants of its clients'],
  ['LATENTKIT_CONFIG', 'a file with defaults of flags; else'],
  ['', 'XDG_CONFIG_HOME/latentkit/config.json, ~/.config/…'],
  ['LATENTKIT_CACHE_DIR', 'where blocks of read texts are kept; else'],
  ['', 'XDG_CACHE_HOME/latentkit/blocks, ~/.cache/…'],
  ['LATENTKIT_DISK_CACHE', '0: as --no-disk-cache'],
  ['LATENTKIT_STATE_DIR', 'where chats are kept; else'],
  ['', 'XDG_STATE_HOME/latentkit, ~/.local/state/latentkit'],
  ['HF_HUB_CACHE', 'where models of the hub are; else HF_HOME/hub,'],
  ['', 'XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface'],
  ['HF_ENDPOINT, HF_TOKEN', 'the hub, and the key to it'],
  ['HF_HUB_OFFLINE', 'as --offline'],
  ['NO_COLOR, FORCE_COLOR', 'without and with colours'],
]

/** Fills in flags that were not given from the environment. */
export function withEnvironment<T extends LoadFlags>(flags: T, env: Env = process.env): T {
  const { kernels, threads, isa, cacheType, weights } = LOAD_OPTIONS
  const fromEnv: LoadFlags = {
    ...read(env, 'KERNELS', ofKind<KernelChoice>(kernels.kind), kernels => ({ kernels })),
    ...read(env, 'THREADS', ofKind<number>(threads.kind), threads => ({ threads })),
    ...read(env, 'ISA', ofKind<string>(isa.kind), isa => ({ isa })),
    ...read(env, 'CACHE_TYPE', ofKind<CacheTypeName>(cacheType.kind), cacheType => ({ cacheType })),
    ...read(env, 'WEIGHTS', ofKind<EncodableType>(weights.kind), weights => ({ weights })),
    ...read(env, 'EXACT', flag, exact => ({ exact })),
    ...read(env, 'CONTEXT', tokens, context => ({ context })),
    ...read(env, 'CHUNK', tokens, chunk => ({ chunk })),
    ...read(env, 'CACHE_BYTES', bytes, cacheBytes => ({ cacheBytes })),
    ...read(env, 'CACHE_DIR_BYTES', bytes, cacheDirBytes => ({ cacheDirBytes })),
    ...read(env, 'OFFLINE', flag, offline => ({ offline })),
  }
  // Flag and variable can only switch the disk cache off.
  const disk = read(env, 'DISK_CACHE', flag, diskCache => ({ diskCache }))
  return { ...fromEnv, ...flags, ...(disk?.diskCache === false && disk) }
}

const NAMES = [
  ...[
    'KERNELS',
    'THREADS',
    'ISA',
    'CACHE_TYPE',
    'WEIGHTS',
    'EXACT',
    'CONTEXT',
    'CHUNK',
    'CACHE_BYTES',
    'CACHE_DIR_BYTES',
  ],
  ...['DISK_CACHE', 'OFFLINE', 'MODEL', 'CACHE_DIR', 'STATE_DIR', 'CONFIG', 'DEBUG', 'API_KEY'],
].map(name => `LATENTKIT_${name}`)

/** Whether the variable is set to a value that counts. */
export function isSet(name: string, env: Env = process.env): boolean {
  return NAMES.includes(name) && Boolean(env[name])
}

/** Variables that installation and tests read. */
const ELSEWHERE = /^LATENTKIT_(SKIP_BUILD|PYTHON|BENCH_|FUZZ_|INTERLEAVINGS|KILLS|NO_SCRATCH|PERPLEXITY_WINDOWS)/

/** A warning for each LATENTKIT_ variable that has no effect: misspelt, or of another version. */
export function unknownVariables(env: Env = process.env): string[] {
  return Object.keys(env)
    .filter(name => name.startsWith('LATENTKIT_') && !NAMES.includes(name) && !ELSEWHERE.test(name))
    .map(name => {
      const meant = nearest(name, NAMES)
      return `the variable ${name} has no effect: ${meant ? `did you mean ${meant}?` : 'there is none of that name (see latentkit --help)'}`
    })
}

export function defaultModel(env: Env = process.env): string | undefined {
  return env.LATENTKIT_MODEL || undefined
}

/** The key that a server wants of its clients. */
export function serverKey(env: Env = process.env): string | undefined {
  return env.LATENTKIT_API_KEY || undefined
}

/** The default folder of cached blocks. */
export function cacheFolder(env: Env = process.env): string {
  return env.LATENTKIT_CACHE_DIR || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'latentkit', 'blocks')
}

/** The file with defaults of flags, and whether the user named it. */
export function configFile(env: Env = process.env): { readonly path: string; readonly named: boolean } {
  const named = env.LATENTKIT_CONFIG
  const settings = env.XDG_CONFIG_HOME || join(homedir(), '.config')
  return { path: named || join(settings, 'latentkit', 'config.json'), named: Boolean(named) }
}

/** The folder of saved chats. */
export function chatsFolder(env: Env = process.env): string {
  const state = env.XDG_STATE_HOME || join(homedir(), '.local', 'state')
  return join(env.LATENTKIT_STATE_DIR || join(state, 'latentkit'), 'chats')
}

export function debugWanted(env: Env = process.env): boolean {
  return /^(1|true|yes|on)$/i.test(env.LATENTKIT_DEBUG ?? '')
}

/** An empty variable counts as absent, as shells make it easier to empty than to unset one. */
function read<T, R extends object>(env: Env, name: string, parse: (text: string) => T, use: (value: T) => R): R | null {
  const text = env[`LATENTKIT_${name}`]
  if (!text) return null
  try {
    return use(parse(text))
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new UsageError(`the variable LATENTKIT_${name} is ${JSON.stringify(text)}. ${error.message}`)
  }
}
