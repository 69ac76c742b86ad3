/** A latent model that learns from the original: it comes nearer, and one that was interrupted ends with the same bits. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { latentifyModel } from '../../src/latentify/latentify.ts'
import type { LatentifyProgress } from '../../src/latentify/options.ts'
import { Original } from '../../src/latentify/original.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { Rng } from '../support/rng.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { fixture } from './models.ts'

const folder = fixture('llama-gqa')
const loaded = Original.prototype.parts

/** A folder with a text of words in no order, and options that read it. */
function place() {
  const path = tempFolder()
  const calibrate = join(path, 'text.txt')
  const rng = new Rng('words')
  writeFileSync(calibrate, Array.from({ length: 2500 }, () => `word ${rng.below(97)} of ${rng.below(13)}`).join(' '))
  const options = { rank: 8, rope: 4, calibrate, calibrationTokens: 2048, measure: 2, threads: 1 }
  return { path, options: { ...options, healSteps: 10 } }
}

async function rowsOf(model: string, name: string): Promise<Float32Array> {
  const { bytes, dtype } = (await openModel(model)).checkpoint.tensors.get(name)!
  expect(dtype).toBe('F32')
  return new Float32Array(new Uint8Array(await bytes.source.read(bytes.offset, bytes.length)).buffer)
}

describe.skipIf(folder === undefined)('healing', () => {
  it('brings the model nearer, and goes on where it was', { timeout: 120_000 }, async () => {
    const { path, options } = place()
    const [plain, one, two] = ['plain', 'one', 'two'].map(name => join(path, name)) as [string, string, string]
    const { healSteps: _, ...unhealed } = options
    await latentifyModel(folder as string, plain, unhealed)
    const report = await latentifyModel(folder as string, one, options)
    const { measured, healing } = report
    const own = measured!.sizes.find(({ rope }) => rope === 4)!
    expect(healing).toMatchObject({ text: 'text.txt', steps: 10, planned: 10 })
    expect(healing!.kl).toHaveLength(10)
    expect(healing!.measured!.kl.mean).toBeLessThan(0.9 * own.kl.mean)

    const controller = new AbortController()
    const onProgress = ({ stage, done }: LatentifyProgress) => {
      if (stage === 'heal' && done === 4) controller.abort(new Error('enough'))
    }
    const interrupted = latentifyModel(folder as string, two, { ...options, signal: controller.signal, onProgress })
    await expect(interrupted).rejects.toThrow('enough')
    expect(existsSync(two)).toBe(false)
    let first: number | undefined
    const again = await latentifyModel(folder as string, two, {
      ...options,
      onProgress: ({ stage, done }) => {
        if (stage === 'heal') first ??= done
      },
    })
    expect(first).toBe(4)
    expect(existsSync(`${two}.latentify`)).toBe(false)
    const file = (model: string) => readFileSync(join(model, 'model.safetensors'))
    expect(file(two).equals(file(one))).toBe(true)
    expect(again.healing!.kl).toEqual(healing!.kl)

    // The norm of the latent is the constant that it was; what makes the latent has learned, in rows as small as before.
    const layer = 'model.layers.1.self_attn'
    expect(await rowsOf(one, `${layer}.kv_a_layernorm.weight`)).toEqual(
      await rowsOf(plain, `${layer}.kv_a_layernorm.weight`),
    )
    const [before, after] = [plain, one].map(model => rowsOf(model, `${layer}.kv_a_proj_with_mqa.weight`))
    const [was, is] = [await before!, await after!]
    for (const [from, to] of [
      [0, 8 * 72],
      [8 * 72, 12 * 72],
    ] as const) {
      const size = (rows: Float32Array) => Math.sqrt(rows.subarray(from, to).reduce((sum, x) => sum + x * x, 0))
      const moved = size(is.map((x, i) => x - (was[i] as number))) / size(was)
      expect(moved).toBeGreaterThan(1e-3)
      expect(moved).toBeLessThan(0.1)
    }
    const card = readFileSync(join(one, 'README.md'), 'utf8')
    expect(card).toMatch(/healed: 10 steps/)
    expect(card).toContain('| **12**, healed |')
  })

  it('learns from texts that the original writes, which are kept for other settings, too', {
    timeout: 120_000,
  }, async () => {
    const { path, options } = place()
    const output = join(path, 'out.gguf')
    const sampled = { ...options, healSteps: 2, healSamples: 1025, measure: 0 }
    const controller = new AbortController()
    const tokens: number[] = []
    const onProgress = ({ stage, done }: LatentifyProgress) => {
      if (stage === 'samples') tokens.push(done)
      if (stage === 'heal' && !controller.signal.aborted) controller.abort(new Error('enough'))
    }
    const signal = controller.signal
    await expect(latentifyModel(folder as string, output, { ...sampled, signal, onProgress })).rejects.toThrow('enough')
    const other = { ...sampled, healSteps: 1, healHidden: 0, onProgress }
    const { healing } = await latentifyModel(folder as string, output, other)
    expect(tokens).toEqual([0, 3 * 512, 3 * 512])
    expect(healing).toMatchObject({ text: null, steps: 1, measured: null })
  })

  it('gives back its memory before the last measurement', { timeout: 120_000 }, async () => {
    const { path, options } = place()
    const used: Kernels[] = []
    const parts = vi.spyOn(Original.prototype, 'parts').mockImplementation(async function (this: Original) {
      const found = await loaded.call(this)
      if (!used.includes(found.kernels)) used.push(found.kernels)
      return found
    })
    // Of the kernels on which it learned, whenever a measurement begins.
    const held: number[] = []
    const onProgress = ({ stage, done }: LatentifyProgress) => {
      if (stage === 'measure' && done === 0) held.push((used[0] as Kernels).memory.allocatedBytes)
    }
    await latentifyModel(folder as string, join(path, 'out'), { ...options, healSteps: 1, onProgress })
    parts.mockRestore()
    expect(used).toHaveLength(2)
    expect(held[0]).toBeGreaterThan(0)
    expect(held.at(-1)).toBe(0)
  })

  it('refuses a text that is too short before anything is computed', async () => {
    const { path, options } = place()
    const healText = join(path, 'short.txt')
    writeFileSync(healText, 'a few words')
    const stages = new Set<string>()
    const onProgress = ({ stage }: LatentifyProgress) => void stages.add(stage)
    const work = latentifyModel(folder as string, join(path, 'out'), { ...options, healText, onProgress })
    await expect(work).rejects.toThrow(/healText .*short\.txt has \d+ tokens; expected at least/)
    expect(stages.has('calibrate')).toBe(false)
  })

  it('ends with its time', { timeout: 120_000 }, async () => {
    const { path, options } = place()
    const { healSteps: _, ...others } = options
    const timed = { ...others, heal: 1e-3, measure: 0 }
    const { healing } = await latentifyModel(folder as string, join(path, 'out'), timed)
    expect(healing).toMatchObject({ steps: 1 })
  })
})
