/** Adapters in llama.cpp's GGUF files: written from PEFT's folders and back, they are the same adapters. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Adapter } from '../../src/adapter/adapter.ts'
import { openAdapter } from '../../src/adapter/open-adapter.ts'
import { checkAdapter, preparedAdapter } from '../../src/adapter/prepared.ts'
import { modelFiles } from '../../src/checkpoint/find/folder.ts'
import { readGgufHeader } from '../../src/checkpoint/gguf/header.ts'
import { GgufKeys } from '../../src/checkpoint/gguf/keys.ts'
import { readRows } from '../../src/checkpoint/recode/weight-rows.ts'
import { openFile } from '../../src/checkpoint/source/file-source.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import type { TensorToWrite } from '../../src/conversion/gguf/plan-tensors.ts'
import { ggufHeader } from '../../src/conversion/gguf/write-gguf.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import type { OpenedModel } from '../../src/model/open/opened-model.ts'
import { convertModel } from '../../src/tools.ts'
import { checkpointFolders } from '../support/all-fixtures.ts'
import { expectClose } from '../support/compare.ts'
import { fixture, folderOf, logitsOf } from './fixtures.ts'
import { LATENT, randomAdapter } from './random-adapter.ts'

const place = mkdtempSync(join(tmpdir(), 'latentkit-gguf-adapter-'))
afterAll(() => rmSync(place, { recursive: true }))

const open = async (path: string, base: OpenedModel) => openAdapter(await modelFiles(path), base)

/** All numbers by module, with how much they count. */
async function numbersOf({ modules }: Adapter) {
  const found = new Map<string, { scale: number; down: number[]; up: number[] }>()
  for (const { module, down, up, scale } of modules) {
    const rows = async (m: typeof down) => [...(await readRows(m, 0, m.rows))]
    found.set(module, { scale, down: await rows(down), up: await rows(up) })
  }
  return found
}

/** Of a text, with an adapter or without. */
async function logits(base: OpenedModel, adapter: Adapter | null): Promise<Float32Array> {
  const kernels = createReferenceKernels()
  const tokens = Array.from({ length: 9 }, (_, i) => (i * 37 + 5) % base.config.vocabSize)
  const adapters = adapter && { adapters: preparedAdapter(adapter, base, source => kernels.prepare(source)) }
  const found = await logitsOf(base, kernels, tokens, adapters ?? {})
  kernels.dispose()
  return found
}

describe('written and read again', () => {
  const MODELS = ['llama-gqa', 'qwen3', 'gemma3-mqa', 'deepseek-v3', 'gpt2', 'falcon-mqa']
  it.for(MODELS)(
    '%s: an adapter has the same logits in both forms, on the hub’s files and on GGUF',
    async (name, { skip }) => {
      const path = checkpointFolders().get(name)
      if (path === undefined) return skip('the fixture is not here')
      const base = await openModel(path)
      const isLatent = base.config.layers[0]?.attention.kind === 'latent'
      const folder = join(place, name)
      await randomAdapter(base, folder, isLatent ? LATENT : undefined)
      const file = join(place, `${name}-lora.gguf`)
      const { format, types, warnings } = await convertModel(folder, file, { base: path })
      // llama.cpp computes these without their changes.
      expect(warnings.some(warning => warning.includes('leaves out'))).toBe(isLatent)
      expect([format, types.map(({ type }) => type)]).toEqual(['gguf', ['f32']])
      const [peft, gguf] = [await open(folder, base), await open(file, base)]
      await checkAdapter(gguf, base)
      const expected = await logits(base, peft)
      expect(await logits(base, gguf)).toEqual(expected)
      expect(
        Math.max(...(await logits(base, null)).map((v, i) => Math.abs(v - (expected[i] as number)))),
      ).toBeGreaterThan(1e-3)

      const converted = join(place, `${name}.gguf`)
      await convertModel(path, converted, { weights: 'f32' })
      const onGguf = await openModel(converted)
      expectClose('both GGUF', await logits(onGguf, await open(file, onGguf)), expected, { rel: 1e-3, abs: 1e-3 })
      expectClose('PEFT on GGUF', await logits(onGguf, await open(folder, onGguf)), expected, { rel: 1e-3, abs: 1e-3 })

      const back = join(place, `${name}-back`)
      await convertModel(file, back, { base: converted })
      const [was, is] = [await numbersOf(peft), await numbersOf(await open(back, base))]
      expect([...is.keys()].sort()).toEqual([...was.keys()].sort())
      for (const [module, { scale, down, up }] of is) {
        expect(down).toEqual(was.get(module)?.down)
        expect(up).toEqual(was.get(module)?.up)
        expect(scale).toBeCloseTo(was.get(module)?.scale as number, 6)
      }
    },
  )

  it('one alpha stands for several, and other ranks and types stay', async () => {
    const { base } = await fixture('llama')
    const folder = join(place, 'patterns')
    cpSync(join(folderOf('llama'), 'adapter'), folder, { recursive: true })
    const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'))
    config.alpha_pattern = { 'layers.1.self_attn.q_proj': 9, down_proj: 6, 'layers.0.mlp.up_proj': 0 }
    config.use_rslora = true
    writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(config))
    const options = { base: join(folderOf('llama'), 'base') }
    const file = join(place, 'patterns.gguf')
    await convertModel(folder, file, options)
    const expected = await logits(base, await open(folder, base))
    expectClose('alphas', await logits(base, await open(file, base)), expected, { rel: 1e-4, abs: 1e-4 })
    const half = join(place, 'half.gguf')
    await convertModel(file, half.replace('.gguf', ''), { ...options, weights: 'f16' })
    await convertModel(half.replace('.gguf', ''), half, options)
    const { tensors, metadata } = await readGgufHeader(await openFile(half))
    expect([...tensors.values()].every(({ type }) => type === 'F16')).toBe(true)
    expect([...tensors.keys()][0]).toMatch(/^blk\.\d\.\w+\.weight\.lora_a$/)
    expect(metadata.string('general.type')).toBe('adapter')
    expectClose('f16', await logits(base, await open(half, base)), expected, { rel: 1e-2, abs: 1e-2 })
  })
})

describe('refused in a sentence', () => {
  const matrix = (name: string, rows: number, cols: number): TensorToWrite => {
    const bytes = new Uint8Array(4 * rows * cols)
    const range = { source: memorySource(name, bytes), offset: 0, length: bytes.length }
    return {
      ...{ name, type: 'f32', shape: [rows, cols], bytes: bytes.length },
      parts: [{ name, dtype: 'f32', rows, cols, bytes: range }],
    }
  }
  const pair = (name: string): TensorToWrite[] => [matrix(`${name}.lora_a`, 2, 32), matrix(`${name}.lora_b`, 32, 2)]
  const refused = async (tensors: readonly TensorToWrite[], change: (keys: GgufKeys) => void = () => {}) => {
    const keys = new GgufKeys('llama')
    keys.string('general.type', 'adapter')
    keys.string('adapter.type', 'lora')
    keys.f32('adapter.lora.alpha', 4)
    change(keys)
    const file = join(place, 'refused.gguf')
    const header = ggufHeader(keys, tensors)
    writeFileSync(file, header)
    for (const { bytes } of tensors) writeFileSync(file, new Uint8Array(Math.ceil(bytes / 32) * 32), { flag: 'a' })
    const { base } = await fixture('llama')
    await checkAdapter(await open(file, base), base)
  }

  it('what is no adapter for this model', async () => {
    const good = pair('blk.0.attn_q.weight')
    await expect(refused(good.slice(0, 1))).rejects.toThrow('has no lora_b')
    await expect(refused(good.slice(1))).rejects.toThrow('has no lora_a')
    await expect(refused([])).rejects.toThrow('changes no module')
    await expect(refused([good[0] as TensorToWrite, matrix('blk.0.attn_q.weight.lora_b', 32, 3)])).rejects.toThrow(
      'one rank',
    )
    await expect(refused([...good, matrix('blk.0.attn_norm.weight', 1, 32)])).rejects.toThrow(
      'expected pairs of matrices',
    )
    await expect(refused(pair('blk.9.attn_q.weight'))).rejects.toThrow('layers.9.self_attn.q_proj')
    await expect(refused(pair('token_embd.weight'))).rejects.toThrow('embed_tokens')
    const key = (name: string, value: string) => (keys: GgufKeys) => keys.string(name, value)
    await expect(refused(good, key('general.architecture', 'qwen2'))).rejects.toThrow('is for the architecture "qwen2"')
    await expect(refused(good, key('adapter.type', 'ia3'))).rejects.toThrow('adapter.type is "ia3"')
    await expect(refused(good, key('general.type', 'model'))).rejects.toThrow('is of type "model"; expected an adapter')
    await expect(refused(good, keys => keys.numbers('adapter.alora.invocation_tokens', 'u32', [1]))).rejects.toThrow(
      'aLoRA',
    )
  })

  it('what llama.cpp cannot change, and calls that make no sense', async () => {
    const [llama, v3] = ['llama', 'deepseek_v3'].map(folderOf) as [string, string]
    const out = join(place, 'none.gguf')
    await expect(convertModel(join(v3, 'adapter'), out, { base: join(v3, 'base') })).rejects.toThrow(
      /kv_b_proj; llama.cpp has it in two parts, which no adapter changes/,
    )
    await expect(convertModel(join(llama, 'adapter'), out)).rejects.toThrow('base (--base) has to name the model')
    await expect(convertModel(join(llama, 'base'), out, { base: llama })).rejects.toThrow('is a model, not an adapter')
    const options = { base: join(llama, 'base') }
    await expect(convertModel(join(llama, 'adapter'), out, { ...options, lora: llama })).rejects.toThrow(
      'is an adapter itself',
    )
    await expect(convertModel(join(llama, 'adapter'), out, { ...options, weights: 'q4_k' })).rejects.toThrow(
      'f32, f16 or bf16',
    )
    await expect(convertModel(join(llama, 'adapter'), out, { base: join(v3, 'base') })).rejects.toThrow(/other model/)
    await convertModel(join(llama, 'adapter'), out, options)
    await expect(openModel(out)).rejects.toThrow('is a LoRA adapter, not a model')
    const part = join(place, 'half-00001-of-00002.gguf')
    cpSync(out, part)
    const { base } = await fixture('llama')
    await expect(open(part, base)).rejects.toThrow('has no half-00002-of-00002.gguf')
  })
})
