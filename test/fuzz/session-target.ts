import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NODE_SESSIONS } from '../../src/engine/host/node/sessions.ts'
import type { Parts } from '../../src/engine/load/load-parts.ts'
import { createEnginePast } from '../../src/engine/past/engine-past.ts'
import { identify } from '../../src/engine/past/identity.ts'
import { Timeline } from '../../src/engine/past/timeline.ts'
import { restoreSession } from '../../src/engine/saved/restore.ts'
import { saveSession } from '../../src/engine/saved/save.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { randomGroupedConfig, randomModel } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'
import type { FuzzTarget } from './fuzzer.ts'
import { mutate } from './mutate.ts'
import { mutateJson } from './mutate-json.ts'

const PREFIX = 12
const DIGEST = 32
const folder = mkdtempSync(join(tmpdir(), 'latentkit-fuzz-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const file = join(folder, 'a.session')

/** A small model with layers that have a window, and what restoring asks of an engine. */
async function place() {
  const config = { ...randomGroupedConfig(new Rng(3)), use_sliding_window: true, sliding_window: 9, hidden_size: 12 }
  const kernels = createReferenceKernels()
  const model = await randomModel(kernels, config, 1, { blockTokens: 4 })
  const identity = await identify({ config: {}, tokenizer: {}, tensors: new Map() }, 'reference', model.layout)
  const info = { name: 'fuzzed', contextLength: 64 }
  const parts = { info, model, kernels, identity: async () => identity, sessions: NODE_SESSIONS } as unknown as Parts
  return { parts, past: createEnginePast(model, null, model), makeRoom: async () => false }
}
const placed = await place()

/** Files of this many rows, without their checksum. */
async function contentOf(rows: number): Promise<Uint8Array> {
  const { parts, past } = placed
  const { model } = parts
  const timeline = new Timeline(model.sequence(64), past)
  const tokens = Array.from({ length: rows }, (_, i) => i)
  const input = { tokens, cache: timeline.cache, prompt: { start: 0, end: rows }, logits: 'none' } as const
  if (rows > 0) await model.forward([input])
  timeline.keepRun(rows)
  timeline.become([...tokens, 1], true)
  const drawing = { seed: 1, rng: [1, 2, 3, 4], prompt: [1, 2], counts: [[3, 1]], mu: 2.5 } as const
  await saveSession(parts, file, { timeline, rolling: { keep: 2, count: 20 }, drawing }, { notes: ['a', { b: 1 }] })
  return readFileSync(file).subarray(0, -DIGEST)
}

/** Files whose checksum is right whatever they say: the reader has nothing else to hold on to. */
export const SESSION_TARGET: FuzzTarget = {
  name: 'session',
  seeds: [await contentOf(0), await contentOf(3), await contentOf(30)],
  mutate: mutateSession,
  run(content) {
    writeFileSync(file, Buffer.concat([content, createHash('sha256').update(content).digest()]))
    const { pool } = placed.parts.model
    const before = pool.bytes
    return restoreAndGoOn().finally(() => {
      if (pool.bytes !== before) throw new Error('blocks were not given back')
    })
  },
}

/** What was accepted can go on. */
async function restoreAndGoOn(): Promise<void> {
  const { timeline } = await restoreSession(placed, file, {})
  const { cache } = timeline
  if (cache.length < cache.maxTokens) {
    await placed.parts.model.forward([{ tokens: [1], cache, prompt: null, logits: 'last' }])
  }
  timeline.dispose()
}

/** Mostly headers that are JSON and say something odd, with the rows behind them as they were, or cut. */
function mutateSession(rng: Rng, pool: readonly Uint8Array[]): Uint8Array {
  if (rng.uniform() < 0.2) return mutate(rng, pool)
  const content = Buffer.from(pool[rng.below(pool.length)] as Uint8Array)
  if (content.length < PREFIX) return content
  const end = Math.min(PREFIX + content.readUInt32LE(8), content.length)
  const header = mutateJson(rng, [content.subarray(PREFIX, end)])
  const start = Buffer.from(content.subarray(0, PREFIX))
  start.writeUInt32LE(header.length, 8)
  const body = content.subarray(end)
  return Buffer.concat([start, header, rng.uniform() < 0.1 ? body.subarray(0, rng.below(body.length + 1)) : body])
}
