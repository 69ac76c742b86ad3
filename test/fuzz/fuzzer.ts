import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LatentkitError } from '../../src/errors.ts'
import { Rng } from '../support/rng.ts'
import { mutate } from './mutate.ts'

/** Something that reads hostile bytes. */
export interface FuzzTarget {
  readonly name: string
  readonly seeds: readonly Uint8Array[]
  /** Add inputs that break a promise to the corpus. Default true. */
  readonly keep?: boolean
  /** How an input is made of earlier ones. Default: `mutate`. */
  readonly mutate?: (rng: Rng, pool: readonly Uint8Array[]) => Uint8Array
  /** Reads the input; may throw any LatentkitError, and an error of its own when it finds something broken. */
  run(input: Uint8Array): Promise<void>
}

export interface FuzzReport {
  readonly runs: number
  readonly accepted: number
  /** Distinct outcomes: messages without their numbers and names. */
  readonly outcomes: ReadonlyMap<string, Uint8Array>
  /** CPU time. */
  readonly slowestMs: number
}

/** CPU time of an input of at most 64 KiB; ordinary ones take 0.1 ms. The clock would count what others compute. */
const TIME_LIMIT_MS = 1500
/** Messages are for people. */
const MESSAGE_LIMIT = 4000
const POOL_LIMIT = 1000

/**
 * Runs a target on `runs` mutated inputs. Inputs with an outcome that was not seen before become seeds themselves, so
 * later ones get deeper. Everything follows from `seed`: the same number, the same inputs.
 */
export async function fuzz(target: FuzzTarget, seed: number, runs: number): Promise<FuzzReport> {
  // Most of the time would go into stacks that nobody reads; a kept input gives its stack when the corpus is run.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return await fuzzAll(target, seed, runs)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

async function fuzzAll(target: FuzzTarget, seed: number, runs: number): Promise<FuzzReport> {
  const pool = [...target.seeds, ...readCorpus(target.name)]
  const outcomes = new Map<string, Uint8Array>()
  let accepted = 0
  let slowestMs = 0
  for (let i = 0; i < runs; i++) {
    const rng = new Rng(`${seed} ${target.name} ${i}`)
    const input = (target.mutate ?? mutate)(rng, pool)
    const { outcome, elapsed } = await runOnce(target, input, `seed ${seed}, input ${i}`)
    slowestMs = Math.max(slowestMs, elapsed)
    if (outcome === ACCEPTED) accepted++
    if (outcomes.has(outcome)) continue
    outcomes.set(outcome, input)
    if (pool.length < POOL_LIMIT) pool.push(input)
  }
  return { runs, accepted, outcomes, slowestMs }
}

const ACCEPTED = 'accepted'

/** Kind of outcome and CPU time. Throws when the target broke its promise; the input is then kept in the corpus. */
export async function runOnce(target: FuzzTarget, input: Uint8Array, where: string) {
  const start = cpuMs()
  let failure: unknown
  try {
    await target.run(input)
  } catch (error) {
    failure = error
  }
  const elapsed = cpuMs() - start
  const problem = complaint(failure, elapsed)
  if (problem === undefined) return { outcome: failure === undefined ? ACCEPTED : kindOf(failure as Error), elapsed }
  const kept = target.keep === false ? 'nothing' : keep(target.name, input)
  throw new Error(`fuzz target ${target.name} (${where}; kept in ${kept}): ${problem}`, { cause: failure })
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function complaint(failure: unknown, elapsed: number): string | undefined {
  if (elapsed > TIME_LIMIT_MS) return `took ${elapsed.toFixed(0)} ms`
  if (failure === undefined) return undefined
  if (!(failure instanceof LatentkitError)) return `threw ${(failure as Error)?.stack ?? failure}`
  if (failure.message.length > MESSAGE_LIMIT) return `has a message of ${failure.message.length} characters`
  if (hasControls(failure.message)) return `has control characters in its message: ${JSON.stringify(failure.message)}`
  return undefined
}

/** Line breaks and escapes: a message must not be able to paint over others. */
function hasControls(message: string): boolean {
  return [...message].some(c => c < ' ')
}

function kindOf({ name, message }: Error): string {
  // What exactly is not JSON is the same news in a thousand spellings; which key of a config is wrong is not.
  const text = message
    .replace(/(is not JSON|damaged header):.*/, '$1')
    .replace(name === 'ConfigError' ? /(?<= is )"(?:[^"\\]|\\.)*"/g : /"(?:[^"\\]|\\.)*"/g, '""')
  return `${name}: ${text.replace(/-?\d[\d.e+-]*/g, '0')}`.slice(0, 120)
}

/** Lines of text, or of `base64:` and bytes; `#` begins a comment. */
export function readCorpus(target: string): Uint8Array[] {
  const path = corpusPath(target)
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => (line.startsWith('base64:') ? Buffer.from(line.slice(7), 'base64') : Buffer.from(line)))
}

/** Adds inputs that the corpus does not have yet. */
export function extendCorpus(target: string, inputs: Iterable<Uint8Array>): void {
  const known = new Set(readCorpus(target).map(hash))
  const path = corpusPath(target)
  for (const input of inputs) {
    if (known.has(hash(input))) continue
    known.add(hash(input))
    const line = `base64:${Buffer.from(input).toString('base64')}\n`
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, line, { flag: 'a' })
  }
}

function keep(target: string, input: Uint8Array): string {
  try {
    extendCorpus(target, [input])
    return corpusPath(target)
  } catch {
    return `base64:${Buffer.from(input).toString('base64')}`
  }
}

function corpusPath(target: string): string {
  return join(import.meta.dirname, 'corpus', `${target}.txt`)
}

function hash(input: Uint8Array): string {
  return createHash('sha1').update(input).digest('hex')
}
