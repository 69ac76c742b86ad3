/**
 * An engine in a process of its own, as `bench/prefix.ts` asks for it by one argument of JSON; the answer is a line of JSON.
 * Times are milliseconds.
 */
import path from 'node:path'
import { Engine, type Session } from '../../src/index.ts'
import { stream } from '../contenders/stream.ts'
import { idsFile, withIds } from './ids.ts'

export interface PrefixRequest {
  readonly what: 'read' | 'disk' | 'file'
  readonly model: string
  readonly threads: number
  readonly kernels: 'native' | 'wasm'
  readonly tokens: number
  /** Of them, those that both prompts begin with. */
  readonly shared: number
  /** Scratch; `blocks` in it is the cache folder. */
  readonly folder: string
}

export interface First {
  readonly ms: number
  readonly cachedTokens: number
  readonly tokenId: number | undefined
}

export interface PrefixAnswers {
  read: {
    readonly cold: First
    readonly memory: First
    readonly save: { readonly ms: number; readonly bytes: number }
    /** Until the blocks are on disk. */
    readonly flushMs: number
  }
  disk: { readonly loadMs: number; readonly disk: First }
  file: { readonly loadMs: number; readonly restoreMs: number; readonly file: First }
}

const request = JSON.parse(process.argv[2] ?? '') as PrefixRequest
const { what, model, threads, kernels, tokens, shared, folder } = request
const saved = path.join(folder, 'read.session')
const options = { threads, kernels, contextLength: tokens + 64 }
const cacheDir = path.join(folder, 'blocks')

/** The same beginning, another end: the one that was read from memory is on disk, too. */
const ids = (end: number) => [...stream(0, shared), ...stream(shared + end, tokens - shared)]

async function first(session: Session): Promise<First> {
  const { timings, usage, tokenIds } = await session.prompt('', { maxTokens: 1, temperature: 0, ignoreEos: true })
  return { ms: timings.firstTokenMs, cachedTokens: usage.cachedTokens, tokenId: tokenIds[0] }
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const start = performance.now()
  const value = await work()
  return { ms: performance.now() - start, value }
}

const load = (more: { readonly cacheDir?: string }) => timed(() => Engine.load(model, { ...options, ...more }))

const programs: { [W in keyof PrefixAnswers]: () => Promise<PrefixAnswers[W]> } = {
  async read() {
    const { value: engine } = await load({ cacheDir })
    const one = await engine.restore(await idsFile(engine, folder, ids(0)))
    const cold = await first(one)
    const two = await engine.restore(await idsFile(engine, folder, ids(1000)))
    const memory = await first(two)
    const { ms, value } = await timed(() => one.save(saved))
    const flush = await timed(() => engine.dispose())
    return { cold, memory, save: { ms, bytes: value.bytes }, flushMs: flush.ms }
  },
  async disk() {
    const { ms, value: engine } = await load({ cacheDir })
    const disk = await first(await engine.restore(await idsFile(engine, folder, ids(2000))))
    await engine.dispose()
    return { loadMs: ms, disk }
  },
  async file() {
    const { ms, value: engine } = await load({})
    await withIds(saved, ids(2000))
    const restored = await timed(() => engine.restore(saved))
    const file = await first(restored.value)
    await engine.dispose()
    return { loadMs: ms, restoreMs: restored.ms, file }
  },
}

console.log(JSON.stringify(await programs[what]()))
