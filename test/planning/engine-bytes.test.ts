/** Predicted cache bytes against what the engine allocates, on real sequences of running models. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import type { CacheTypeName } from '../../src/cache/types.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { createNativeKernels, nativeUnavailable } from '../../src/kernels/core/node/addon.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { loadModel } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { plan } from '../../src/planning/plan.ts'
import type { PlanModel } from '../../src/planning/plan-model.ts'
import { readPlanModel } from '../../src/planning/read/open.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const OURS = here('../fixtures/checkpoints/')
const SHARED = here('../../../shared/fixtures/checkpoints/')
const SMOLLM = here('../../../shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf')
const folders = [
  ...new Set([OURS, SHARED].flatMap(f => (existsSync(f) ? readdirSync(f).map(n => join(f, n)) : []))),
].filter(path => existsSync(join(path, 'config.json')) && !path.includes('marian'))

/** Lengths around blocks and windows. */
const LENGTHS = [1, 15, 16, 17, 24, 25, 40, 63, 64, 65, 100, 128]
const CASES: readonly (readonly [CacheTypeName, number])[] = [
  ['f16', 64],
  ['f32', 16],
  ['bf16', 7],
  ['f16/bf16', 64],
]
/** For latents alone. */
const LATENT_CASES: typeof CASES = [
  ['int8', 64],
  ['fp8_ds_mla', 64],
  ['int8/f16', 16],
]

/** Makes room for rows as a step does, without computing what is in them. */
function grow(model: Model, lengths: readonly number[], look: (length: number, bytes: number) => void): void {
  const cache = model.sequence(Math.max(...lengths))
  for (let length = 1; length <= Math.max(...lengths); length++) {
    cache.reserve(1)
    cache.commit([1], [0])
    cache.passWindows()
    expect(model.pool.bytes).toBe(cache.bytes)
    if (lengths.includes(length)) look(length, cache.bytes)
  }
  cache.dispose()
  expect(model.pool.bytes).toBe(0)
}

function expectPredicted(model: Model, from: PlanModel, dtype: CacheTypeName, blockTokens: number): void {
  let most = 0
  grow(model, LENGTHS, (context, bytes) => {
    const { cache } = plan(from, { context, dtype, blockTokens })
    expect(cache.heldBytesPerSequence).toBe(bytes)
    most = Math.max(most, bytes)
    // What is set aside is never less than what is held, and with a window at most a block more.
    expect(cache.bytesPerSequence).toBeGreaterThanOrEqual(bytes)
    const windows = from.layers.filter(l => l.window !== null)
    const block = windows.length === 0 ? 0 : plan({ ...from, layers: windows }).cache.bytesPerToken * 2 * blockTokens
    expect(cache.bytesPerSequence - bytes).toBeLessThanOrEqual(block)
  })
}

describe('cache bytes equal what the engine allocates', () => {
  const kernels: Kernels = createReferenceKernels()
  afterAll(() => kernels.dispose())

  it.each([here('../../models/tales-mla-8m'), ...folders])('%s', async folder => {
    const from = await readPlanModel(folder)
    const opened = await openModel(folder)
    const latent = from.layers.every(l => l.attention.kind === 'latent')
    for (const [cacheType, blockTokens] of [...CASES, ...(latent ? LATENT_CASES : [])]) {
      const model = await loadModel(opened, kernels, { cacheType, blockTokens })
      expect(plan(from, { dtype: cacheType }).cache.bytesPerToken).toBe(model.layout.bytesPerToken)
      expectPredicted(model, from, cacheType, blockTokens)
      model.dispose()
    }
  })

  it.skipIf(existsSync(SMOLLM))('SmolLM2 and 13 checkpoints need ../shared, which is not here', () => {})

  it.skipIf(!existsSync(SMOLLM))('SmolLM2-135M-Instruct, Q4_1', { timeout: 120_000 }, async () => {
    const from = await readPlanModel(SMOLLM)
    // Which kernels hold the weights decides nothing here; the native ones need not decode them.
    const own = nativeUnavailable() === null ? await createNativeKernels({ threads: 1 }) : createReferenceKernels()
    const model = await loadModel(await openModel(SMOLLM), own, { cacheType: 'f16' })
    expect(model.layout.bytesPerToken).toBe(23_040)
    expectPredicted(model, from, 'f16', 64)
    model.dispose()
    own.dispose()
  })

  it('an encoder-decoder, whose source is as long as its text', async () => {
    const folder = here('../fixtures/families/t5')
    const from = await readPlanModel(folder)
    for (const [cacheType, blockTokens] of CASES) {
      const model = await loadModel(await openModel(folder), kernels, { cacheType, blockTokens })
      for (const context of LENGTHS) {
        const cache = model.sequence(context)
        cache.readFrom(model.source(Array.from({ length: context }, () => 3)))
        cache.reserve(context)
        expect(cache.bytes).toBe(plan(from, { context, dtype: cacheType, blockTokens }).cache.heldBytesPerSequence)
        expect(model.pool.bytes).toBe(cache.bytes)
        cache.dispose()
      }
      const { layout } = model
      expect(plan(from, { dtype: cacheType }).cache.bytesPerToken).toBe(
        layout.bytesPerToken + layout.sourceBytesPerToken,
      )
      model.dispose()
    }
  })

  it('rows that the engine computes are in them', async () => {
    const folder = join(OURS, 'gemma3-mqa')
    const from = await readPlanModel(folder)
    const model = await loadModel(await openModel(folder), kernels, { cacheType: 'f16', blockTokens: 8 })
    const cache = model.sequence(64)
    const tokens = Array.from({ length: 41 }, (_, i) => 2 + i)
    await model.forward([{ tokens, cache, prompt: { start: 0, end: 41 }, logits: 'last' }])
    cache.passWindows()
    const predicted = plan(from, { context: 41, dtype: 'f16', blockTokens: 8 }).cache
    expect(cache.bytes).toBe(predicted.heldBytesPerSequence)
    // Window 16, the next query sees 26 .. 41: blocks from 24 on; the global layer has all 6.
    expect(cache.bytes).toBe((3 * 3 + 6) * 8 * 2 * 32 * 2)
    model.dispose()
  })
})
