/** The machine's limits, by a probe that has nothing of the product in it. */
import { Worker } from 'node:worker_threads'
import { buildProbe, type ProbeKind } from './build-probe.ts'

/** In the order of probe.cpp: bytes read, and operations of products (a product and a sum counted as two). */
const CODES = ['read', 'f32', 'bf16', 'int8'] as const
export type Limit = (typeof CODES)[number]

/** More than the caches hold, and so many products that a round takes some 0.1 s. */
const READ_BYTES = 256 << 20
const PRODUCT_ROUNDS = 10_000_000
const ROUNDS = 7

export interface ProbeTask {
  readonly file: string
  readonly code: number
  readonly amount: number
  readonly threads: number
  readonly index: number
  readonly rounds: number
  /** How often a thread has come to the meeting point. */
  readonly barrier: Int32Array
}

/**
 * Bytes or operations per second of `threads` threads together, each in a worker of this process, in rising order: the
 * highest is the limit. null: the probe cannot be built here, or the machine has no such product.
 */
export async function measureLimit(kind: ProbeKind, limit: Limit, threads: number): Promise<number[] | null> {
  const file = buildProbe(kind)
  if (!file) return null
  const amount = limit === 'read' ? READ_BYTES : PRODUCT_ROUNDS
  const barrier = new Int32Array(new SharedArrayBuffer(4))
  const run = (index: number) =>
    new Promise<number[] | null>((resolve, reject) => {
      const task: ProbeTask = { file, code: CODES.indexOf(limit), amount, threads, index, rounds: ROUNDS, barrier }
      const worker = new Worker(new URL('./probe-worker.js', import.meta.url), { workerData: task })
      let rates: number[] | null = null
      worker.on('message', message => (rates = message as number[]))
      worker.on('error', reject)
      worker.on('exit', () => resolve(rates))
    })
  const [rates] = await Promise.all(Array.from({ length: threads }, (_, i) => run(i)))
  return rates?.every(rate => rate > 0) ? rates.sort((a, b) => a - b) : null
}

/** What a token's time is held against: the highest rates of all threads together. */
export interface Limits {
  readonly bytesPerSecond: number
  /** Of 8-bit products; null where they are not known. */
  readonly int8PerSecond: number | null
}

/** The higher of two measurements, made before and after what is held against them: a hosted machine changes. */
export function higher(a: Limits | null, b: Limits | null): Limits | null {
  if (!a || !b) return a ?? b
  return {
    bytesPerSecond: Math.max(a.bytesPerSecond, b.bytesPerSecond),
    int8PerSecond: a.int8PerSecond && b.int8PerSecond && Math.max(a.int8PerSecond, b.int8PerSecond),
  }
}

export async function measureLimits(kind: ProbeKind, threads: number): Promise<Limits | null> {
  const read = (await measureLimit(kind, 'read', threads))?.at(-1)
  if (read === undefined) return null
  return { bytesPerSecond: read, int8PerSecond: (await measureLimit(kind, 'int8', threads))?.at(-1) ?? null }
}
