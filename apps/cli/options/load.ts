/** Options of every command that loads a model. */
import { type Command, Option } from 'commander'
import type { KernelChoice, LoadOptions } from '../../../src/index.ts'
import { integer, oneOf, tokens } from './parsers.ts'

export const KERNELS: readonly KernelChoice[] = ['auto', 'native', 'wasm', 'reference']
export const CACHE_TYPES = ['f32', 'f16', 'bf16'] as const

/** As the flags are parsed; undefined where neither flag nor variable was given. */
export interface LoadFlags {
  kernels?: KernelChoice
  threads?: number
  isa?: string
  cacheType?: (typeof CACHE_TYPES)[number]
  context?: number
  chunk?: number
  offline?: boolean
}

const HEADING = 'Running:'

export function addLoadOptions(command: Command): Command {
  return command
    .addOption(group(new Option('--kernels <name>', `${KERNELS.join(', ')} (default: auto)`).argParser(oneOf(KERNELS))))
    .addOption(group(new Option('--threads <n>', 'compute threads (default: all cores)').argParser(integer(1, 1024))))
    .addOption(group(new Option('--isa <name>', 'a lower instruction set: avx512, avx2, portable, neon')))
    .addOption(
      group(
        new Option('--cache-type <type>', `cached numbers: ${CACHE_TYPES.join(', ')} (default: f16)`).argParser(
          oneOf(CACHE_TYPES),
        ),
      ),
    )
    .addOption(group(new Option('--context <n>', "tokens a session may hold (default: the model's)").argParser(tokens)))
    .addOption(group(new Option('--chunk <n>', 'prompt tokens of one step (default: 512)').argParser(tokens)))
    .addOption(group(new Option('--offline', 'never use the network')))
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
    ...(flags.offline !== undefined && { offline: flags.offline }),
  }
}

function group(option: Option): Option {
  return option.helpGroup(HEADING)
}
