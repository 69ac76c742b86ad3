/** Weights counted from sizes alone against the tensors of files, byte for byte. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { folderFiles } from '../../src/checkpoint/find/folder.ts'
import { CheckpointError, ConfigError, UnsupportedModelError } from '../../src/errors.ts'
import { openGguf } from '../../src/model/open/open-gguf.ts'
import { plan } from '../../src/planning/plan.ts'
import type { PlanModel } from '../../src/planning/plan-model.ts'
import { readPlanModel } from '../../src/planning/read/open.ts'
import { countWeights, modelWeightBytes } from '../../src/planning/weights.ts'
import { tempFolder } from '../support/temp-folder.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const FIXTURES = here('../fixtures/checkpoints/')
const TALES = here('../../models/tales-mla-8m')
const GGUF = here('../fixtures/gguf/')
const SHARED = here('../../../shared/fixtures/checkpoints/')
const SHARED_GGUF = here('../../../shared/fixtures/gguf/')
const SMOLLM = here('../../../shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf')

const subfolders = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder)
        .map(name => join(folder, name))
        .filter(path => statSync(path).isDirectory())
    : []

/** From the config's fields, as if there were no files. */
async function expectCountedLikeFiles(folder: string): Promise<void> {
  const model = await readPlanModel(folder)
  const { stored } = model
  if (stored === null) throw new Error(`${folder} has no weights`)
  const sizesOnly: PlanModel = { ...model, stored: null }
  const counted = modelWeightBytes(sizesOnly, undefined, { draft: false })
  expect({ ...counted, ...countWeights(sizesOnly, { draft: false }) }).toMatchObject({
    bytes: stored.bytes,
    activeBytes: stored.activeBytes,
    parameters: stored.parameters,
  })
  const everything = { draft: model.draftLayers.length > 0, draftCopies: true }
  expect(modelWeightBytes(sizesOnly, undefined, everything).bytes).toBe(stored.fileBytes)
}

describe('counted from sizes, weights are as many bytes as the files hold', () => {
  it.each([TALES, ...subfolders(FIXTURES)])('%s', expectCountedLikeFiles)

  it.skipIf(existsSync(SHARED))('13 more checkpoints need ../shared, which is not here', () => {})

  describe.skipIf(!existsSync(SHARED))('all shared checkpoints', () => {
    it.each(subfolders(SHARED))('%s', expectCountedLikeFiles)

    it('a file is its header and these bytes', async () => {
      const folder = join(SHARED, 'gpt2')
      const file = statSync(join(folder, 'model.safetensors')).size
      const { stored } = await readPlanModel(folder)
      expect(file - (stored?.fileBytes ?? 0)).toBeGreaterThan(8)
      expect(file - (stored?.fileBytes ?? 0)).toBeLessThan(20_000)
    })
  })

  it('the bundled model: 8,100,608 parameters, 16,201,216 bytes', async () => {
    const { weights } = plan(await readPlanModel(TALES))
    expect(weights).toMatchObject({ parameters: 8_100_608, bytes: 16_201_216, dtype: 'bf16', counted: 'files' })
    const asQ8 = plan(await readPlanModel(TALES), { weights: 'q8_0' }).weights
    expect(asQ8).toMatchObject({ parameters: 8_100_608, dtype: 'q8_0', counted: 'sizes' })
    expect(asQ8.bytes).toBeLessThan(0.54 * 16_201_216)
  })
})

describe('GGUF files: bytes of their tensors, parameters from sizes', () => {
  const ggufIn = (folder: string) =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter(f => f.endsWith('.gguf'))
          .map(f => join(folder, f))
      : []

  it.each([...ggufIn(GGUF), ...ggufIn(SHARED_GGUF)])('%s', async path => {
    const { stored, ...model } = await readPlanModel(path)
    const checkpoint = await openGguf(await folderFiles(dirname(path)), basename(path))
    const tensors = [...checkpoint.tensors.values()].reduce((n, t) => n + t.bytes.length, 0)
    expect(stored?.fileBytes).toBe(tensors)
    expect(stored?.bytes).toBe(tensors)
    expect(countWeights({ ...model, stored: null }, { draft: false }).parameters).toBe(stored?.parameters)
  })

  it.skipIf(existsSync(SMOLLM))('SmolLM2-135M needs ../shared, which is not here', () => {})

  it.skipIf(!existsSync(SMOLLM))('SmolLM2-135M, Q4_1 with a Q8_0 embedding', async () => {
    const { weights, cache } = plan(await readPlanModel(SMOLLM))
    expect(weights).toMatchObject({ parameters: 134_515_008, dtype: 'q4_1 + q8_0' })
    // Matrices of 30 layers in 20 bytes per 32 numbers, the embedding in 34, 61 norms in f32.
    const layer = 576 * (2 * 576 + 2 * 192) + 3 * 576 * 1536
    expect(weights.bytes).toBe((30 * layer * 20) / 32 + (49_152 * 576 * 34) / 32 + 61 * 576 * 4)
    expect(cache.bytesPerToken).toBe(23_040)
  })
})

describe('what a path or name means', () => {
  const config = JSON.stringify({
    model_type: 'llama',
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    intermediate_size: 128,
    vocab_size: 100,
  })

  it('a config.json, a folder with nothing else, a folder in the hub’s cache, a published name', async () => {
    const folder = tempFolder({ 'config.json': config })
    expect((await readPlanModel(join(folder, 'config.json'))).stored).toBeNull()
    expect((await readPlanModel(folder)).layers).toHaveLength(1)
    const commit = 'a'.repeat(40)
    const cache = tempFolder({
      'models--org--small/refs/main': commit,
      [`models--org--small/snapshots/${commit}/config.json`]: config,
    })
    const cached = await readPlanModel('org/small', cache)
    expect([cached.name, cached.hiddenSize]).toEqual(['small', 64])
    expect((await readPlanModel('org/DeepSeek-R1', cache).catch(e => e)).message).toMatch(/no "org\/DeepSeek-R1" here/)
    expect((await readPlanModel('R1', cache)).name).toBe('DeepSeek-R1')
  })

  it.each<[string, Record<string, string>, string, new (...args: never[]) => Error, RegExp]>([
    [
      'nothing of that name',
      {},
      'nothing',
      CheckpointError,
      /There is no ".*nothing" here; expected a config\.json, a folder, a \.gguf file or a name: DeepSeek-V3/,
    ],
    ['DeepSeek-V4 by name', {}, 'deepseek-ai/DeepSeek-V4', UnsupportedModelError, /compressed sparse attention/],
    ['an empty folder', { 'a/x.txt': '' }, 'a', CheckpointError, /has no config\.json and no \.gguf file/],
    [
      'another file',
      { 'x.bin': '' },
      'x.bin',
      CheckpointError,
      /is a file; give the folder that holds config\.json, or a GGUF/,
    ],
    ['broken JSON', { 'config.json': '{' }, 'config.json', ConfigError, /is not JSON/],
    [
      'DeepSeek-V4',
      { 'config.json': '{"model_type":"deepseek_v4","num_attention_heads":8}' },
      '',
      UnsupportedModelError,
      /compressed sparse attention/,
    ],
    ['a GGUF that is none', { 'x.gguf': 'hello, I am no model' }, 'x.gguf', CheckpointError, /x\.gguf/],
  ])('%s', async (_, files, path, kind, message) => {
    const error = await readPlanModel(join(tempFolder(files), path)).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(kind)
    expect((error as Error).message).toMatch(message)
  })
})
