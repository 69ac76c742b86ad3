/** Predicted bytes of weights against what kernel sets take for them. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openModel } from '../../src/checkpoint/folder.ts'
import { loadModel, surveyWeights } from '../../src/model/load.ts'
import { plan } from '../../src/planning/plan.ts'
import { readPlanModel } from '../../src/planning/read/open.ts'
import { KERNEL_SETS, type KernelSet } from '../support/kernel-sets.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const TALES = here('../../models/tales-mla-8m')
const SMOLLM = here('../../../shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf')
const Q4_K = here('../fixtures/gguf/llama-gqa-q4_k_m.gguf')

/** What loading takes, and the f64 frequencies of positions, which are no weights. */
async function taken(set: KernelSet, path: string): Promise<{ bytes: number; frequencies: number }> {
  const kernels = await set.make({ threads: 1 })
  try {
    const model = await loadModel(await openModel(path), kernels)
    const { attention } = model.config
    const rotated = attention.kind === 'latent' ? attention.qkRopeHeadDim : attention.headDim
    const bytes = kernels.allocatedBytes
    model.dispose()
    return { bytes, frequencies: (8 * rotated) / 2 }
  } finally {
    kernels.dispose()
  }
}

describe('weights take what was predicted', () => {
  const [native, wasm] = ['native', 'wasm'].map(name => KERNEL_SETS.find(set => set.name === name) as KernelSet)

  it('of bf16 files in WebAssembly: the file, and norms once more, because they are f32 in memory', async () => {
    const { weights } = plan(await readPlanModel(TALES))
    const vectors = (await surveyWeights(await openModel(TALES))).filter(({ rows }) => rows === 1)
    const norms = vectors.reduce((sum, { bytes }) => sum + bytes.length, 0)
    const { bytes, frequencies } = await taken(wasm as KernelSet, TALES)
    expect(bytes - frequencies).toBe(weights.bytes + norms)
  })

  it.skipIf(native?.missing)('of bf16 files on the native kernels: mapped, only norms are copied', async () => {
    const vectors = (await surveyWeights(await openModel(TALES))).filter(({ rows }) => rows === 1)
    const norms = vectors.reduce((sum, { bytes }) => sum + bytes.length, 0)
    const { bytes, frequencies } = await taken(native as KernelSet, TALES)
    expect(bytes - frequencies).toBe(2 * norms)
  })

  it.skipIf(existsSync(SMOLLM))('SmolLM2 needs ../shared, which is not here', () => {})

  for (const set of [native, wasm] as KernelSet[]) {
    it.skipIf(set.missing || !existsSync(SMOLLM))(`of SmolLM2 in Q4_1, to the byte, ${set.name}`, async () => {
      const { bytes, frequencies } = await taken(set, SMOLLM)
      expect(bytes - frequencies).toBe(plan(await readPlanModel(SMOLLM)).weights.bytes)
    })

    it.skipIf(set.missing || !existsSync(Q4_K))(`of K-quants at most 3 % more, ${set.name}`, async () => {
      const { bytes } = await taken(set, Q4_K)
      const predicted = plan(await readPlanModel(Q4_K)).weights.bytes
      expect(bytes).toBeGreaterThan(predicted)
      expect(bytes).toBeLessThan(1.03 * predicted)
    })
  }
})
