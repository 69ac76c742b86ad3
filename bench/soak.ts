/**
 * Random traffic under a fixed budget: prompts, three at a time, forks, drops, rolling, saving, restoring, aborts, with blocks
 * on disk. All along the blocks that are counted are those that are allocated, to the byte, and they keep to the budget; at
 * the end resident memory is what it was when everything had happened a few times. For the night, or five minutes: in
 * less V8's heap does not come to rest.
 *
 *     node scripts/bench.mjs soak [--minutes 5] [--kernels native|wasm] [--seed 1]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { loadInNode } from '../src/engine/host/node/platform.ts'
import type { Kernels } from '../src/kernels/contract/kernels.ts'
import { HostLab } from '../test/engine/host-lab.ts'
import { Rng } from '../test/support/rng.ts'
import { oneOf, parseOptions, positive } from './support/options.ts'
import { mustBe, printJson, printTable, spread } from './support/report.ts'

const BLOCKS = 48
const DISK_BYTES = 48 * 2 ** 20
const CONTEXT = 1024
const SAMPLE_MS = 3000
/** Resident memory of the last fifth may be so much above that of the second. */
const MAX_GROWTH = 1.03
const MB = 2 ** 20
const TALE =
  'Once upon a time, there was a fox who lived in the wood with three bears, a king and his sons. One day they said: '

const { values } = parseOptions({
  options: {
    minutes: { type: 'string', default: '5' },
    kernels: { type: 'string', default: 'native' },
    seed: { type: 'string', default: '1' },
  },
})
const until = performance.now() + 60_000 * positive(values.minutes, '--minutes')
const rng = new Rng(`soak ${values.seed}`)
const folder = mkdtempSync(path.join(tmpdir(), 'latentkit-soak-'))
const collect = (globalThis as { gc?: () => void }).gc ?? (() => {})

const kernels = oneOf(values.kernels, '--kernels', ['native', 'wasm'])
const probe = { kernels, threads: 1, contextLength: CONTEXT, chunkSize: 128 }
const context = { report: () => {}, signal: new AbortController().signal }
const sized = await loadInNode('models/tales-mla-8m', probe, context)
const blockBytes = 64 * sized.model.layout.bytesPerToken
sized.model.dispose()
sized.kernels.dispose()
const cacheBytes = BLOCKS * blockBytes
const parts = await loadInNode(
  'models/tales-mla-8m',
  { ...probe, cacheBytes, cacheDir: path.join(folder, 'blocks'), cacheDirBytes: DISK_BYTES },
  context,
)
const allocator = watch(parts.kernels)
const lab = await HostLab.over(parts)
const { pool } = parts.model

const done: Record<string, number> = {}
const samples: { readonly seconds: number; readonly rss: number }[] = []
const sessions: number[] = []
const files: string[] = []
let largest = 0

const one = <T>(list: readonly T[]): T => list[rng.below(list.length)] as T
const count = (what: string) => {
  done[what] = (done[what] ?? 0) + 1
}

/** What a prompt under a budget may answer; anything else ends the run. */
async function allowed(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    const { code = '' } = error as { code?: string }
    if (!['cache_full', 'context_length', 'disposed'].includes(code)) throw error
    count(`refused: ${code}`)
  }
}

const ACTIONS: Readonly<Record<string, () => Promise<void>>> = {
  async open() {
    sessions.push(lab.session(rng.below(3) === 0 ? { contextLength: 256, rolling: { keep: 4 } } : {}))
  },
  async prompt() {
    const chosen = [...new Set([one(sessions), one(sessions), one(sessions)])]
    const text = TALE.repeat(1 + rng.below(4)).slice(rng.below(2) * rng.below(40))
    const options = { maxTokens: rng.below(40), seed: rng.below(1000), ignoreEos: true, strict: rng.below(2) === 0 }
    await Promise.all(chosen.map(session => allowed(lab.prompt(session, text, options))))
  },
  async abort() {
    const id = lab.peekId()
    const running = allowed(lab.prompt(one(sessions), TALE.repeat(4), { maxTokens: 500, ignoreEos: true }))
    setTimeout(() => lab.abort(id), rng.below(60))
    await running
  },
  async fork() {
    const as = lab.nextId()
    await lab.ask({ method: 'fork', session: one(sessions), as })
    sessions.push(as)
  },
  async drop() {
    const session = one(sessions)
    const { length } = await lab.tokensOf(session)
    const from = rng.below(length + 1)
    const to = from + rng.below(length - from + 1)
    await allowed(lab.ask({ method: 'drop', session, from, to }))
  },
  async save() {
    const file = path.join(folder, `${rng.below(4)}.session`)
    await lab.ask({ method: 'save', session: one(sessions), file, options: { rows: rng.below(4) > 0 } })
    if (!files.includes(file)) files.push(file)
  },
  async restore() {
    if (files.length === 0) return
    const as = lab.nextId()
    const restoring = lab.ask({ method: 'restore', as, file: one(files), options: {} })
    await allowed(restoring.then(() => sessions.push(as)))
  },
  async close() {
    const [session] = sessions.splice(rng.below(sessions.length), 1)
    if (session !== undefined) await lab.ask({ method: 'close', session })
  },
}
const NAMES = ['prompt', 'prompt', 'prompt', 'abort', 'fork', 'drop', 'save', 'restore', 'close', 'open']

const start = performance.now()
let sampled = start
try {
  while (performance.now() < until) {
    const name = sessions.length === 0 ? 'open' : sessions.length > 16 ? 'close' : one(NAMES)
    await ACTIONS[name]?.()
    count(name)
    mustBe(
      `${pool.allocatedBytes} bytes are counted, ${allocator.blockBytes} are allocated`,
      pool.allocatedBytes === allocator.blockBytes,
    )
    mustBe(`${pool.allocatedBytes} bytes of a budget of ${cacheBytes}`, pool.allocatedBytes <= cacheBytes)
    largest = Math.max(largest, pool.allocatedBytes)
    if (performance.now() - sampled < SAMPLE_MS) continue
    await new Promise(resolve => setTimeout(resolve, 50))
    collect()
    sampled = performance.now()
    samples.push({ seconds: (sampled - start) / 1000, rss: process.memoryUsage().rss })
  }
} finally {
  await lab.dispose()
  rmSync(folder, { recursive: true })
}
mustBe(`${allocator.blockBytes} bytes of blocks were not given back`, allocator.blockBytes === 0)

const fifth = (n: number) =>
  spread(samples.slice((n * samples.length) / 5, ((n + 1) * samples.length) / 5).map(s => s.rss)).median
const fifths = [0, 1, 2, 3, 4].map(fifth)
printTable([
  ['fifth of the time', 'resident, MB (median)'],
  ...fifths.map((rss, i) => [String(i + 1), (rss / MB).toFixed(1)]),
])
printTable([['done', 'times'], ...Object.entries(done).map(([what, times]) => [what, String(times)])])
const growth = (fifths[4] as number) / (fifths[1] as number)
printJson('soak', { ...values, cacheBytes, largestBytes: largest, growth, fifths, done })
if (!(growth <= MAX_GROWTH)) throw new Error(`resident memory grew by ${((growth - 1) * 100).toFixed(1)} %`)

/** Counts what is allocated for blocks, as the allocator is asked for it: bytes without a type, of their size. */
function watch({ memory }: Kernels): { readonly blockBytes: number } {
  const counted = { blockBytes: 0 }
  const blocks = new Set<number>()
  const { alloc, free } = memory
  memory.alloc = (dtype, shape) => {
    const tensor = alloc.call(memory, dtype, shape)
    if (dtype === 'u8' && shape[0] === blockBytes) {
      blocks.add(tensor.address)
      counted.blockBytes += blockBytes
    }
    return tensor
  }
  memory.free = tensor => {
    if (blocks.delete(tensor.address)) counted.blockBytes -= blockBytes
    free.call(memory, tensor)
  }
  return counted
}
