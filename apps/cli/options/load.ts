/** Options of every command that loads a model. */
import { type Command, Option } from 'commander'
import {
  CACHE_TYPE_NAMES,
  CACHE_TYPES_SHOWN,
  type CacheTypeName,
  type EncodableType,
  type KernelChoice,
  type LoadOptions,
} from '../../../src/index.ts'
import { bytes, integer, oneOf, tokens } from './parsers.ts'

export const KERNELS: readonly KernelChoice[] = ['auto', 'native', 'wasm', 'reference']

/** What weights can be turned into. */
export const WEIGHT_TYPES: readonly EncodableType[] = [
  ...(['f32', 'f16', 'bf16', 'q8_0', 'q6_k', 'q5_k', 'q4_k', 'q3_k', 'q2_k'] as const),
  ...(['q5_1', 'q5_0', 'q4_1', 'q4_0', 'iq4_nl', 'mxfp4'] as const),
]
const SHOWN = 'q8_0, q6_k, q5_k, q4_k, bf16 …'

/** As the flags are parsed; undefined where neither flag nor variable was given. */
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

const HEADING = 'Running:'

/** How a model is found, loaded and computed. */
export function addModelOptions(command: Command): Command {
  return command
    .addOption(group(new Option('--kernels <name>', `${KERNELS.join(', ')} (default: auto)`).argParser(oneOf(KERNELS))))
    .addOption(group(new Option('--threads <n>', 'compute threads (default: all cores)').argParser(integer(1, 1024))))
    .addOption(group(new Option('--isa <name>', 'a lower instruction set: avx512, avx2, portable, neon')))
    .addOption(
      group(
        new Option('--cache-type <type>', `cached numbers: ${CACHE_TYPES_SHOWN} (default: f16 or bf16)`).argParser(
          oneOf(CACHE_TYPE_NAMES),
        ),
      ),
    )
    .addOption(
      group(
        new Option('--weights <type>', `turn the weights into a type: ${SHOWN} (default: as stored)`).argParser(
          oneOf(WEIGHT_TYPES),
        ),
      ),
    )
    .addOption(group(new Option('--exact', 'compute on quantised weights in f32: slower, for comparisons')))
    .addOption(group(new Option('--offline', 'never use the network')))
}

/** The same, and how sessions run. */
export function addLoadOptions(command: Command): Command {
  return addModelOptions(command)
    .addOption(group(new Option('--context <n>', "tokens a session may hold (default: the model's)").argParser(tokens)))
    .addOption(group(new Option('--chunk <n>', 'tokens of one step (default: 512)').argParser(tokens)))
    .addOption(group(new Option('--draft <model>', 'a small model of the same tokens that guesses ahead')))
    .addOption(
      group(new Option('--cache-bytes <n>', 'bound on all caches, such as 2GiB (default: none)').argParser(bytes)),
    )
    .addOption(
      group(
        new Option('--cache-dir <folder>', "where later runs find what this one has read (default: the user's cache)"),
      ),
    )
    .addOption(
      group(
        new Option('--cache-dir-bytes <n>', 'bound on that folder, of all models (default: 2GiB)').argParser(bytes),
      ),
    )
    .addOption(group(new Option('--no-disk-cache', 'leave nothing for later runs, and take nothing of earlier ones')))
}

/** What the engine is told; hub settings and progress are added where the engine is loaded. */
export function toLoadOptions(flags: LoadFlags): LoadOptions {
  return {
    ...(flags.kernels !== undefined && { kernels: flags.kernels }),
    ...(flags.threads !== undefined && { threads: flags.threads }),
    ...(flags.isa !== undefined && { isa: flags.isa }),
    ...(flags.cacheType !== undefined && { cacheType: flags.cacheType }),
    ...(flags.context !== undefined && { contextLength: flags.context }),
    ...(flags.chunk !== undefined && { chunkSize: flags.chunk }),
    ...(flags.draft !== undefined && { draft: flags.draft }),
    ...(flags.cacheBytes !== undefined && { cacheBytes: flags.cacheBytes }),
    ...(flags.cacheDirBytes !== undefined && { cacheDirBytes: flags.cacheDirBytes }),
    ...(flags.offline !== undefined && { offline: flags.offline }),
    ...(flags.weights !== undefined && { weights: flags.weights }),
    ...(flags.exact !== undefined && { exact: flags.exact }),
  }
}

function group(option: Option): Option {
  return option.helpGroup(HEADING)
}
