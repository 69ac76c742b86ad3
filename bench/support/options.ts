/** Options that benches share, and the ones of their own. */
import { homedir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

/** Where random work models are kept: `--models`, else LATENTKIT_BENCH_MODELS. */
const MODELS = process.env.LATENTKIT_BENCH_MODELS ?? path.join(homedir(), '.cache', 'latentkit-bench')

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
  /** Whether the results are written to bench/results. */
  readonly keep: boolean
}

/** `--models DIR --rounds N --contexts N,N --threads N --kernels native|wasm --no-rival --keep`, and names. */
export function benchOptions(defaults: { rounds?: number; contexts?: readonly number[] } = {}): BenchOptions {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    allowNegative: true,
    options: {
      models: { type: 'string', default: MODELS },
      rounds: { type: 'string', default: String(defaults.rounds ?? 5) },
      contexts: { type: 'string', default: (defaults.contexts ?? []).join(',') },
      threads: { type: 'string', default: '2' },
      kernels: { type: 'string', default: 'native' },
      rival: { type: 'boolean', default: true },
      keep: { type: 'boolean', default: false },
    },
  })
  const { models, rounds, contexts, threads, kernels, rival, keep } = values
  if (kernels !== 'native' && kernels !== 'wasm') throw new Error(`--kernels is ${kernels}, not native or wasm`)
  return {
    given: positionals,
    models,
    rounds: Number(rounds),
    contexts: contexts === '' ? [] : contexts.split(',').map(Number),
    threads: Number(threads),
    kernels,
    rival,
    keep,
  }
}
