/** Options that benches share, and the ones of their own. */
import { homedir } from 'node:os'
import path from 'node:path'
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Where random work models are kept: `--models`, else LATENTKIT_BENCH_MODELS. */
export const MODELS = process.env.LATENTKIT_BENCH_MODELS ?? path.join(homedir(), '.cache', 'latentkit-bench')

export interface BenchOptions {
  /** What was given without a name. */
  readonly given: readonly string[]
  readonly models: string
  readonly rounds: number
  readonly contexts: readonly number[]
  readonly threads: number
  readonly kernels: 'native' | 'wasm'
  /** Whether llama.cpp takes part. */
  readonly rival: boolean
  /** Programs with llama-bench's options, each with options of its own: they take the place of llama.cpp. */
  readonly against: readonly string[]
  /** Whether bench/results/kept.jsonl gets a line. */
  readonly keep: boolean
  /** Whether nothing but the line of JSON is printed. */
  readonly json: boolean
  /** To write in a round. */
  readonly tokens: number
}

/** Ends the bench: it was called wrongly. The comment at its head says how it is called. */
export function refuse(message: string): never {
  console.error(`${message} (--help shows how it is called)`)
  process.exit(2)
}

/** As node:util's, with what is wrong in one sentence. */
export function parseOptions<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    return refuse((error as Error).message)
  }
}

/** A number above 0, of which `name` tells what it is. */
export function positive(text: string, name: string): number {
  const value = Number(text)
  return value > 0 && Number.isFinite(value) ? value : refuse(`${name} is ${text}; expected a number above 0`)
}

export function oneOf<T extends string>(text: string, name: string, choices: readonly T[]): T {
  return choices.find(choice => choice === text) ?? refuse(`${name} is ${text}; expected ${choices.join(' or ')}`)
}

/**
 * `--models DIR --rounds N --contexts N,N --threads N --kernels native|wasm --no-rival --against COMMAND --keep --json --tokens N`,
 * and names. A bench has those that the comment at its head names.
 */
export function benchOptions(defaults: { rounds?: number; contexts?: readonly number[] } = {}): BenchOptions {
  const { values, positionals } = parseOptions({
    allowPositionals: true,
    allowNegative: true,
    options: {
      models: { type: 'string', default: MODELS },
      rounds: { type: 'string', default: String(defaults.rounds ?? 5) },
      contexts: { type: 'string', default: (defaults.contexts ?? []).join(',') },
      threads: { type: 'string', default: '2' },
      kernels: { type: 'string', default: 'native' },
      rival: { type: 'boolean', default: true },
      against: { type: 'string', multiple: true, default: [] },
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      tokens: { type: 'string', default: '32' },
    },
  })
  const { models, rounds, contexts, threads, kernels, rival, against, keep, json, tokens } = values
  return {
    given: positionals,
    models,
    rounds: positive(rounds, '--rounds'),
    contexts: contexts === '' ? [] : contexts.split(',').map(context),
    threads: positive(threads, '--threads'),
    kernels: oneOf(kernels, '--kernels', ['native', 'wasm']),
    rival,
    against,
    keep,
    json,
    tokens: positive(tokens, '--tokens'),
  }
}

/** Tokens that are cached before what is measured; there may be none. */
function context(text: string): number {
  return text.trim() === '0' ? 0 : positive(text, 'one of --contexts')
}
