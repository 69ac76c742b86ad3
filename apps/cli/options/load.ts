/** Options of every command that loads a model. */
import { type Command, Option } from 'commander'
import { CACHE_TYPES_SHOWN, LOAD_OPTIONS, type OptionRows, pickRows, withoutRows } from '../../../src/for-apps.ts'
import type { CacheTypeName, EncodableType, KernelChoice, LoadOptions } from '../../../src/index.ts'
import { addFlags, givenOptions } from './engine-flags.ts'
import { bytes, choicesOf, tokens } from './parsers.ts'

/** Types that weights can be converted to. */
export const WEIGHT_TYPES = choicesOf<EncodableType>(LOAD_OPTIONS.weights)

/** Parsed flags that commands or the environment name; undefined if neither flag nor variable was given. */
export interface LoadFlags {
  kernels?: KernelChoice
  threads?: number
  isa?: string
  cacheType?: CacheTypeName
  context?: number
  chunk?: number
  draft?: string
  cacheBytes?: number
  cacheDir?: string
  cacheDirBytes?: number
  /** False for --no-disk-cache. */
  diskCache?: boolean
  offline?: boolean
  weights?: EncodableType
  exact?: boolean
}

const COMPUTING = ['kernels', 'threads', 'isa'] as const
const WEIGHTS = ['weights', 'exact', 'offline'] as const

const { kernels, weights } = LOAD_OPTIONS
const SHOWN = {
  group: 'Running:',
  words: {
    kernels: { description: choicesOf(kernels).join(', ') },
    isa: { description: 'a lower instruction set: avx512, avx2, portable, neon' },
    cacheType: { description: `cached numbers: ${CACHE_TYPES_SHOWN}` },
    weights: { description: `${weights.description}: q8_0, q6_k, q5_k, q4_k, bf16 …` },
    contextLength: { parse: tokens },
    chunkSize: { parse: tokens },
    cacheBytes: { description: 'bound on all caches, such as 2GiB', parse: bytes },
    cacheDir: { defaultText: "the user's cache" },
    cacheDirBytes: { parse: bytes },
  },
}

/** Adds options for finding, loading and computing a model. */
export function addModelOptions(command: Command): Command {
  return add(command, pickRows(LOAD_OPTIONS, [...COMPUTING, 'cacheType', ...WEIGHTS]))
}

/** The same where nothing is cached: texts are read whole. */
export function addEncoderOptions(command: Command): Command {
  return add(command, pickRows(LOAD_OPTIONS, [...COMPUTING, ...WEIGHTS]))
}

/** The same, and options of sessions: all others that have a flag. */
export function addLoadOptions(command: Command): Command {
  const others = withoutRows(LOAD_OPTIONS, [...COMPUTING, 'cacheType', ...WEIGHTS])
  return add(addModelOptions(command), others).addOption(
    new Option('--no-disk-cache', 'leave nothing for later runs, and take nothing of earlier ones').helpGroup(
      SHOWN.group,
    ),
  )
}

const add = (command: Command, rows: OptionRows) => addFlags(command, rows, SHOWN)

/** Options for `Engine.load`; the caller adds hub settings, the cache's folder and progress. */
export function toLoadOptions(flags: LoadFlags): LoadOptions {
  return givenOptions(withoutRows(LOAD_OPTIONS, ['cacheDir']), flags)
}
