/** Statistics of a text against sums over the patterns that the model itself gives; and what is interrupted goes on. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSourceModel } from '../../src/conversion/source-model.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { readAttention } from '../../src/latentify/attention.ts'
import { firstStreams, layerStatistics } from '../../src/latentify/calibration.ts'
import { at, type Dense } from '../../src/latentify/dense.ts'
import { latentifyModel } from '../../src/latentify/latentify.ts'
import { planOf } from '../../src/latentify/plan.ts'
import { loadModel } from '../../src/model/load.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { fixture, llama, randomFolder } from './models.ts'

const WINDOWS = [3, 11, 17].map(step => Int32Array.from({ length: 20 }, (_, i) => (step * i + 5) % 50))

it.each([null, 7])('statistics are those of the patterns, with a window of %s', async window => {
  const fields = window === null ? {} : { model_type: 'mistral', sliding_window: window }
  const opened = await openModel(await randomFolder(llama(fields)))
  const kernels = createReferenceKernels()
  const model = await loadModel(opened, kernels, { cacheType: 'f32' })
  const source = await readSourceModel(opened)
  const attention = await readAttention(source, planOf(source), 1)
  const run = { kernels, decoder: model.decoder, windows: WINDOWS }
  const streams = await firstStreams(run)
  await layerStatistics(run, streams, 0, await readAttention(source, planOf(source), 0))
  const found = await layerStatistics(run, streams, 1, attention)

  const [T, H, D] = [20, 6, 24]
  const wanted = { mass: 0, square: 0, query: 0 }
  const masses = new Float64Array(H)
  const distances = Array.from({ length: H }, () => new Float64Array(T))
  for (const tokens of WINDOWS) {
    const cache = model.sequence(T)
    const pattern = kernels.memory.alloc('f32', [2, H, T, T])
    const hidden = kernels.memory.alloc('f32', [3, T, D])
    kernels.memory.upload(pattern, new Float32Array(2 * H * T * T).fill(Number.NEGATIVE_INFINITY))
    const input = { tokens, cache, prompt: { start: 0, end: T }, logits: 'none' } as const
    await model.forward([input], { attention: pattern, hidden })
    const p = (await kernels.memory.read(pattern)) as Float32Array
    const stream = ((await kernels.memory.read(hidden)) as Float32Array).subarray(T * D, 2 * T * D)
    const norm = (await kernels.memory.read(model.decoder.weights.layers[1]!.attentionNorm.weight)) as Float32Array
    for (let s = 0; s < T; s++) {
      const row = stream.subarray(s * D, (s + 1) * D)
      const size = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / D + 1e-5)
      const project = (a: Dense, i: number) =>
        row.reduce((sum, x, k) => sum + at(a, i, k) * (x / size) * (norm[k] as number), at(a, i, D))
      wanted.query += project(attention.queries, 10) ** 2 / attention.scale ** 2
      const value = project(attention.values, 3)
      for (let h = 0; h < H; h++) {
        for (let t = s; t < T; t++) {
          if (window !== null && t - s >= window) continue
          const square = p[((H + h) * T + t) * T + s]! ** 2
          wanted.mass += square
          masses[h]! += square
          distances[h]![t - s]! += square
          wanted.square += square * value ** 2
        }
      }
    }
  }
  expect(at(found.queries, 10, 2)).toBeCloseTo(wanted.query / (3 * T), 3)
  expect(at(found.rows, 16 + 3, 16 + 3)).toBeCloseTo(wanted.square / wanted.mass, 4)
  for (let h = 0; h < H; h++) {
    for (const n of [0, 1, 6, 19]) {
      expect(at(found.distances, h, n)).toBeCloseTo(distances[h]![n]! / masses[h]!, 5)
    }
    expect(found.effect[h]).toBeGreaterThan(0)
  }
})

describe('a conversion that is interrupted', () => {
  const folder = fixture('llama-gqa')
  it.skipIf(folder === undefined)('goes on where it was, and writes the same files', { timeout: 300_000 }, async () => {
    const place = tempFolder()
    const calibrate = join(place, 'text.txt')
    writeFileSync(calibrate, Array.from({ length: 1500 }, (_, i) => `word ${(i * i) % 97} of ${i % 13}`).join(' '))
    const sizes = { rank: 16, rope: 4, calibrate, calibrationTokens: 2048, threads: 1 }
    const [one, two] = [join(place, 'one'), join(place, 'two')]
    await latentifyModel(folder as string, one, sizes)

    const controller = new AbortController()
    let windows = 0
    const interrupted = latentifyModel(folder as string, two, {
      ...sizes,
      signal: controller.signal,
      onProgress: ({ stage, done, total }) => {
        if (stage !== 'calibrate') return
        if (++windows === 1) expect(done).toBe(1)
        if (done === Math.ceil(total / 2)) controller.abort(new Error('enough'))
      },
    })
    await expect(interrupted).rejects.toThrow('enough')
    expect([existsSync(two), existsSync(`${two}.latentify`)]).toEqual([false, true])
    let first = 0
    const report = await latentifyModel(folder as string, two, {
      ...sizes,
      onProgress: ({ stage, done }) => {
        if (stage === 'calibrate') first ||= done
      },
    })
    expect(first).toBeGreaterThan(1)
    expect(report.cache).toEqual({ before: 48, after: 20, rank: 16, rope: 4 })
    expect(existsSync(`${two}.latentify`)).toBe(false)
    for (const name of ['model.safetensors', 'config.json']) {
      expect(readFileSync(join(two, name)).equals(readFileSync(join(one, name)))).toBe(true)
    }
  })

  it.skipIf(folder === undefined)(
    'keeps its statistics for another size, if asked to',
    { timeout: 300_000 },
    async () => {
      const place = tempFolder()
      const calibrate = join(place, 'text.txt')
      writeFileSync(calibrate, Array.from({ length: 600 }, (_, i) => `word ${(i * i) % 97} of ${i % 13}`).join(' '))
      const out = join(place, 'out')
      const sizes = { rank: 16, rope: 4, calibrate, calibrationTokens: 512, measure: 0, threads: 1, keepWork: true }
      const { calibrationTokens } = await latentifyModel(folder as string, out, sizes)
      expect(readdirSync(`${out}.latentify`).sort()).toEqual([
        'identity.json',
        ...[0, 1, 2].map(layer => `layer-${layer}.statistics`),
      ])
      const stages = new Set<string>()
      const onProgress = ({ stage }: { stage: string }) => void stages.add(stage)
      const again = await latentifyModel(folder as string, out, { ...sizes, rank: 8, force: true, onProgress })
      expect(again).toMatchObject({ calibrationTokens, cache: { rank: 8, rope: 4 } })
      expect([stages.has('factor'), stages.has('calibrate'), stages.has('load')]).toEqual([true, false, false])
    },
  )

  it.skipIf(folder === undefined)('weights that are no numbers are named by their layer', async () => {
    const [place, model] = [tempFolder(), join(tempFolder(), 'model')]
    cpSync(folder as string, model, { recursive: true })
    const { bytes, dtype } = (await openModel(model)).checkpoint.tensors.get('model.layers.1.self_attn.k_proj.weight')!
    expect(dtype).toBe('F32')
    const file = await open((bytes.source as { path: string }).path, 'r+')
    await file.write(new Uint8Array([0, 0, 0xc0, 0x7f]), 0, 4, bytes.offset)
    await file.close()
    const calibrate = join(place, 'text.txt')
    writeFileSync(calibrate, 'a few words '.repeat(400))
    const sizes = { cacheRatio: 0.5, calibrate, calibrationTokens: 512, measure: 0, threads: 1 }
    const work = latentifyModel(model, join(place, 'out'), sizes)
    await expect(work).rejects.toThrow(/layer 1 computes numbers that are not finite.*damaged/)
  })

  it.skipIf(folder === undefined)('a text that is too short', async () => {
    const place = tempFolder()
    const calibrate = join(place, 'text.txt')
    writeFileSync(calibrate, 'a few words')
    const work = latentifyModel(folder as string, join(place, 'out'), { cacheRatio: 0.5, calibrate })
    await expect(work).rejects.toThrow(/calibration text has \d+ tokens; expected at least/)
    expect(readdirSync(place)).toEqual(['text.txt'])
  })
})
