/** Options of every command that loads a model. */
import { type Command, Option } from 'commander'
import { CACHE_TYPES_SHOWN, LOAD_OPTIONS } from '../../../src/for-apps.ts'
import type { CacheTypeName, EncodableType, KernelChoice, LoadOptions } from '../../../src/index.ts'
import { engineFlag } from './engine-flags.ts'
import { bytes, choicesOf, tokens } from './parsers.ts'

/** Types that weights can be converted to. */
export const WEIGHT_TYPES = choicesOf<EncodableType>(LOAD_OPTIONS.weights)
const SHOWN = 'q8_0, q6_k, q5_k, q4_k, bf16 …'

/** Parsed flags; undefined if neither flag nor variable was given. */
export interface LoadFlags {
  kernels?: KernelChoice
  threads?: number
  isa?: string
  cacheType?: CacheTypeName
  context?: number
  chunk?: number
  draft?: string
  mtp?: LoadOptions['mtp']
  lora?: string
  cacheBytes?: number
  cacheDir?: string
  cacheDirBytes?: number
  /** False for --no-disk-cache. */
  diskCache?: boolean
  offline?: boolean
  weights?: EncodableType
  exact?: boolean
}

const group = 'Running:'

/** Adds options for finding, loading and computing a model. */
export function addModelOptions(command: Command): Command {
  const cached = engineFlag(LOAD_OPTIONS.cacheType, { group, description: `cached numbers: ${CACHE_TYPES_SHOWN}` })
  return addWeightOptions(addKernelOptions(command).addOption(cached))
}

/** The same where nothing is cached: texts are read whole. */
export function addEncoderOptions(command: Command): Command {
  return addWeightOptions(addKernelOptions(command))
}

function addKernelOptions(command: Command): Command {
  const { kernels, threads, isa } = LOAD_OPTIONS
  return command
    .addOption(engineFlag(kernels, { group, description: choicesOf(kernels).join(', ') }))
    .addOption(engineFlag(threads, { group }))
    .addOption(engineFlag(isa, { group, description: 'a lower instruction set: avx512, avx2, portable, neon' }))
}

function addWeightOptions(command: Command): Command {
  const { weights, exact, offline } = LOAD_OPTIONS
  return command
    .addOption(engineFlag(weights, { group, description: `${weights.description}: ${SHOWN}` }))
    .addOption(engineFlag(exact, { group }))
    .addOption(engineFlag(offline, { group }))
}

/** The same, and options of sessions. */
export function addLoadOptions(command: Command): Command {
  const { contextLength, chunkSize, draft, mtp, lora, cacheBytes, cacheDir, cacheDirBytes } = LOAD_OPTIONS
  return addModelOptions(command)
    .addOption(engineFlag(contextLength, { group, parse: tokens }))
    .addOption(engineFlag(chunkSize, { group, parse: tokens }))
    .addOption(engineFlag(draft, { group }))
    .addOption(engineFlag(mtp, { group }))
    .addOption(engineFlag(lora, { group }))
    .addOption(engineFlag(cacheBytes, { group, description: 'bound on all caches, such as 2GiB', parse: bytes }))
    .addOption(engineFlag(cacheDir, { group, defaultText: "the user's cache" }))
    .addOption(engineFlag(cacheDirBytes, { group, parse: bytes }))
    .addOption(
      new Option('--no-disk-cache', 'leave nothing for later runs, and take nothing of earlier ones').helpGroup(group),
    )
}

/** Options for `Engine.load`; the caller adds hub settings and progress. */
export function toLoadOptions(flags: LoadFlags): LoadOptions {
  return {
    ...(flags.kernels !== undefined && { kernels: flags.kernels }),
    ...(flags.threads !== undefined && { threads: flags.threads }),
    ...(flags.isa !== undefined && { isa: flags.isa }),
    ...(flags.cacheType !== undefined && { cacheType: flags.cacheType }),
    ...(flags.context !== undefined && { contextLength: flags.context }),
    ...(flags.chunk !== undefined && { chunkSize: flags.chunk }),
    ...(flags.draft !== undefined && { draft: flags.draft }),
    ...(flags.mtp !== undefined && { mtp: flags.mtp }),
    ...(flags.lora !== undefined && { lora: flags.lora }),
    ...(flags.cacheBytes !== undefined && { cacheBytes: flags.cacheBytes }),
    ...(flags.cacheDirBytes !== undefined && { cacheDirBytes: flags.cacheDirBytes }),
    ...(flags.offline !== undefined && { offline: flags.offline }),
    ...(flags.weights !== undefined && { weights: flags.weights }),
    ...(flags.exact !== undefined && { exact: flags.exact }),
  }
}
