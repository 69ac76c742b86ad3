/** Adapters of PEFT: applied as a model is computed, merged, learned and saved, they compute what PEFT computes. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { AdaptedModule } from '../../src/adapter/adapter.ts'
import { merged } from '../../src/adapter/merge.ts'
import { openPeft } from '../../src/adapter/peft-files.ts'
import { checkAdapter, preparedAdapter } from '../../src/adapter/prepared.ts'
import { folderFiles } from '../../src/checkpoint/find/folder.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { adapterDigest } from '../../src/engine/past/identity.ts'
import type { WeightSource } from '../../src/kernels/contract/weights.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { convertModel } from '../../src/tools.ts'
import { writeLearned } from '../../src/training/run/write-checkpoint.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { expectClose } from '../support/compare.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { type TensorToWrite, writeSafetensors } from '../support/safetensors-writer.ts'
import { fixture, folderOf, logitsOf, NAMES, valuesOf } from './fixtures.ts'

const place = mkdtempSync(join(tmpdir(), 'latentkit-adapter-'))
afterAll(() => rmSync(place, { recursive: true }))

const LORA = {
  llama: { rank: 3, alpha: 5 },
  deepseek_v3: {
    rank: 4,
    alpha: 6,
    rankStabilised: true,
    targets: ['q_a_proj', 'q_b_proj', 'kv_a_proj_with_mqa', 'kv_b_proj', 'o_proj'],
  },
} as const
const CLOSE = { rel: 2e-4, abs: 2e-4 }

describe.each(NAMES)('%s', name => {
  for (const set of KERNEL_SETS) {
    it.skipIf(set.missing)(`${set.name}: applied at load it has PEFT's logits, on both paths of MLA`, async () => {
      const { base, adapter, ids, expected } = await fixture(name)
      const kernels = await set.make()
      for (const path of ['expanded', 'absorbed'] as const) {
        const adapters = preparedAdapter(adapter, base, source => kernels.prepare(source))
        const logits = await logitsOf(base, kernels, ids.tokens, { adapters, path })
        expectClose(path, logits, expected.get('logits')?.data as Float32Array, CLOSE)
      }
      expectClose(
        'base',
        await logitsOf(base, kernels, ids.tokens),
        expected.get('base logits')?.data as Float32Array,
        CLOSE,
      )
      kernels.dispose()
    })

    it.skipIf(set.missing)(`${set.name}: gradients are PyTorch's`, async () => {
      const { base, adapter, ids, expected } = await fixture(name)
      const kernels = await set.make({ training: true })
      const trainer = await Trainer.load(base, kernels, { lora: LORA[name] })
      trainer.parameters.restore(await valuesOf(adapter))
      const loss = await trainer.gradients([{ tokens: ids.tokens.slice(0, -1), targets: ids.tokens.slice(1) }])
      expect(loss).toBeCloseTo(expected.get('scalars')?.data[0] as number, 4)
      for (const parameter of trainer.parameters.all) {
        for (const [tensor, numbers] of await trainer.read('gradient', parameter)) {
          const want = expected.get(`loss base_model.model.${tensor}`)?.data as Float32Array
          expectClose(tensor, numbers, want, { rel: 1e-3, abs: 1e-4 })
        }
      }
      expect(trainer.parameters.all).toHaveLength(2 * adapter.modules.length)
      kernels.dispose()
    })
  }

  it('merged it computes the same, also through a GGUF file', async () => {
    const { base, adapter, ids, expected } = await fixture(name)
    const want = expected.get('logits')?.data as Float32Array
    const kernels = createReferenceKernels()
    expectClose('merged', await logitsOf(await merged(base, adapter), kernels, ids.tokens), want, CLOSE)
    const folder = join(place, `${name}-merged`)
    await convertModel(join(folderOf(name), 'base'), folder, { lora: join(folderOf(name), 'adapter') })
    expectClose('folder', await logitsOf(await openModel(folder), kernels, ids.tokens), want, CLOSE)
  })

  it('learned, saved and opened again it is the same adapter', async () => {
    const { base, adapter, ids, expected } = await fixture(name)
    const kernels = createReferenceKernels()
    const trainer = await Trainer.load(base, kernels, { lora: LORA[name] })
    trainer.parameters.restore(await valuesOf(adapter))
    const folder = join(place, `${name}-saved`)
    await writeLearned(trainer, base, 'the base', folder)
    const again = await openPeft(await folderFiles(folder))
    expect(new Set(again.modules.map(({ module }) => module))).toEqual(
      new Set(adapter.modules.map(({ module }) => module)),
    )
    const adapters = preparedAdapter(again, base, source => kernels.prepare(source))
    const logits = await logitsOf(base, kernels, ids.tokens, { adapters })
    expectClose('saved', logits, expected.get('logits')?.data as Float32Array, CLOSE)
  })
})

describe('on a GGUF file, whose rows llama.cpp has in another order', () => {
  it('an adapter of PEFT computes the same, and one that is learned is saved as PEFT has it', async () => {
    const { adapter, ids, expected } = await fixture('llama')
    const want = expected.get('logits')?.data as Float32Array
    const file = join(place, 'llama.gguf')
    writeTokenizer(join(place, 'llama-base'))
    await convertModel(join(place, 'llama-base'), file, { weights: 'f32' })
    const opened = await openModel(file)
    const kernels = createReferenceKernels()
    const adapters = preparedAdapter(adapter, opened, source => kernels.prepare(source))
    expectClose('GGUF', await logitsOf(opened, kernels, ids.tokens, { adapters }), want, CLOSE)
    expectClose('merged', await logitsOf(await merged(opened, adapter), kernels, ids.tokens), want, CLOSE)

    const trainer = await Trainer.load(opened, kernels, { lora: { ...LORA.llama, targets: ['q_proj'] } })
    const texts = [{ tokens: ids.tokens.slice(0, -1), targets: ids.tokens.slice(1) }]
    const values = await trainer.parameters.numbers()
    for (const [tensor, numbers] of values)
      values.set(
        tensor,
        numbers.map((_, i) => Math.sin(i)),
      )
    trainer.parameters.restore(values)
    const loss = await trainer.loss(texts)
    await writeLearned(trainer, opened, file, join(place, 'of-gguf'))
    const { base } = await fixture('llama')
    const onHub = await merged(base, await openPeft(await folderFiles(join(place, 'of-gguf'))))
    expect(await (await Trainer.load(onHub, kernels)).loss(texts)).toBeCloseTo(loss, 4)
  })
})

/** The llama of the fixtures with a tokenizer, which a GGUF file needs. */
function writeTokenizer(folder: string): void {
  cpSync(join(folderOf('llama'), 'base'), folder, { recursive: true })
  const letters = Array.from({ length: 48 }, (_, i) => String.fromCodePoint(0x100 + i))
  const model = { type: 'BPE', vocab: Object.fromEntries(letters.map((letter, i) => [letter, i])), merges: [] }
  const step = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  const tokenizer = {
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: step,
    post_processor: null,
    decoder: step,
    model,
  }
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer))
}

describe('refused in a sentence', () => {
  const refused = async (change: (config: Record<string, unknown>) => void, model = 'llama', file?: Uint8Array) => {
    const folder = join(place, 'refused')
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    cpSync(join(folderOf('llama'), 'adapter'), folder, { recursive: true })
    const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'))
    change(config)
    writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(config))
    if (file) writeFileSync(join(folder, 'adapter_model.safetensors'), file)
    await checkAdapter(await openPeft(await folderFiles(folder)), await openModel(join(folderOf(model), 'base')))
  }
  it.each([
    ['peft_type', 'IA3', 'peft_type is "IA3"'],
    ['use_dora', true, 'use_dora is true'],
    ['modules_to_save', ['lm_head'], 'modules_to_save is a list of 1'],
    ['bias', 'all', 'biases of its own'],
    ['init_lora_weights', 'pissa', 'changes the base model too'],
    ['init_lora_weights', 'lora_ga', 'changes the base model too'],
    ['alpha_pattern', { '(a+)+': 3 }, 'an expression'],
    ['r', 16, 'it says rank 16 of'],
    ['rank_pattern', { q_proj: 5 }, 'it says rank 5 of'],
  ])('%s', async (key, value, message) => {
    await expect(refused(config => Object.assign(config, { [key]: value }))).rejects.toThrow(message)
  })

  it('of another model, by module and shape; a folder that is none', async () => {
    await expect(refused(() => {}, 'deepseek_v3')).rejects.toThrow(
      /as a matrix \[24, 24\]; .* has|which .* does not have/,
    )
    await expect(openPeft(await folderFiles(join(folderOf('llama'), 'base')))).rejects.toThrow('is a model')
  })

  const F32 = (...shape: number[]) => ({ dtype: 'F32', shape }) as const
  const Q = 'base_model.model.model.layers.0.self_attn.q_proj'
  it.each<[string, Record<string, TensorToWrite>, string]>([
    ['rank 0', { [`${Q}.lora_A.weight`]: F32(0, 24), [`${Q}.lora_B.weight`]: F32(24, 0) }, 'has rank 0'],
    [
      'swapped',
      { [`${Q}.lora_A.weight`]: F32(24, 3), [`${Q}.lora_B.weight`]: F32(3, 24) },
      'whose matrices have rank 24',
    ],
    ['two ranks', { [`${Q}.lora_A.weight`]: F32(2, 24), [`${Q}.lora_B.weight`]: F32(24, 3) }, 'expected one rank'],
    ['half of it', { [`${Q}.lora_A.weight`]: F32(3, 24) }, 'has no lora_B'],
    ['a vector', { [`${Q}.lora_A.weight`]: F32(24), [`${Q}.lora_B.weight`]: F32(24, 3) }, 'expected pairs of matrices'],
    [
      'given twice',
      {
        [`${Q}.lora_A.weight`]: F32(3, 24),
        [`${Q}.lora_A.default.weight`]: F32(3, 24),
        [`${Q}.lora_B.weight`]: F32(24, 3),
      },
      'has two matrices lora_A',
    ],
    [
      'under two names',
      Object.fromEntries(
        [Q, Q.replace('base_model.model.model.', '')].flatMap(module => [
          [`${module}.lora_A.weight`, F32(3, 24)],
          [`${module}.lora_B.weight`, F32(24, 3)],
        ]),
      ),
      'changes a module twice',
    ],
    ['nothing', {}, 'changes no module'],
  ])('files that are wrong: %s', async (_name, tensors, message) => {
    await expect(refused(() => {}, 'llama', writeSafetensors(tensors))).rejects.toThrow(message)
  })

  it('a file that is cut short', async () => {
    const whole = readFileSync(join(folderOf('llama'), 'adapter/adapter_model.safetensors'))
    await expect(refused(() => {}, 'llama', whole.subarray(0, -4))).rejects.toThrow('is the file cut short?')
    await expect(refused(() => {}, 'llama', whole.subarray(0, 100))).rejects.toThrow('the file is cut short')
  })

  it('to be merged into an output that is tied, although the file has a matrix of its name', async () => {
    const folder = join(place, 'tied')
    cpSync(join(folderOf('llama'), 'base'), folder, { recursive: true })
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, tie_word_embeddings: true }))
    const { adapter } = await fixture('llama')
    const [first] = adapter.modules as [AdaptedModule]
    const [down, up] = [
      { ...first.down, rows: 3, cols: 24 },
      { ...first.up, rows: 48, cols: 3 },
    ]
    const ofOutput = { ...adapter, modules: [{ ...first, module: 'lm_head', down, up }] }
    await expect(merged(await openModel(folder), ofOutput)).rejects.toThrow('it is tied')
  })

  it('targets that no matrix is called', async () => {
    const { base } = await fixture('llama')
    const load = Trainer.load(base, createReferenceKernels(), { lora: { rank: 2, targets: ['q_porj'] } })
    await expect(load).rejects.toThrow('did you mean q_proj?')
    const frozen = Trainer.load(base, createReferenceKernels(), { freeze: ['layers.9.'] })
    await expect(frozen).rejects.toThrow('which no tensor is called')
  })
})

it('adapters of many modules that differ in B alone have different digests', async () => {
  const matrix = (rows: number, cols: number, value: number): WeightSource => {
    const bytes = { source: memorySource('numbers', new Uint8Array(12).fill(value)), offset: 0, length: 12 }
    return { name: 'w', dtype: 'f32', rows, cols, bytes }
  }
  const digestOf = (value: number) => {
    const modules = Array.from({ length: 1500 }, (_, i) => {
      return { module: `layers.${i}.q_proj`, down: matrix(1, 3, 1), up: matrix(3, 1, value), scale: 1 }
    })
    return adapterDigest({ name: 'many', modules })
  }
  expect(await digestOf(2)).toBe(await digestOf(2))
  expect(await digestOf(2)).not.toBe(await digestOf(3))
})

it('patterns of alpha count as in PEFT', async () => {
  const folder = join(place, 'patterns')
  cpSync(join(folderOf('llama'), 'adapter'), folder, { recursive: true })
  const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'))
  writeFileSync(
    join(folder, 'adapter_config.json'),
    JSON.stringify({ ...config, alpha_pattern: { 'layers.1.self_attn.q_proj': 9, down_proj: 6 } }),
  )
  const { modules } = await openPeft(await folderFiles(folder))
  const scaleOf = (end: string) => modules.find(({ module }) => module.endsWith(end))?.scale
  expect(scaleOf('layers.1.self_attn.q_proj')).toBe(3)
  expect(scaleOf('layers.0.self_attn.q_proj')).toBe(5 / 3)
  expect(scaleOf('layers.0.mlp.down_proj')).toBe(2)
})

it('what is frozen has no gradient and does not move', async () => {
  const { base, ids } = await fixture('llama')
  const kernels = createReferenceKernels()
  const trainer = await Trainer.load(base, kernels, { freeze: ['embed_tokens', 'model.layers.0.*', 'norm'] })
  const names = trainer.parameters.all.flatMap(({ sources }) => sources.map(({ name }) => name))
  expect(names.filter(name => /embed_tokens|layers\.0|norm/.test(name))).toEqual([])
  expect(names).toContain('model.layers.1.mlp.up_proj.weight')
  expect(await trainer.gradients([{ tokens: ids.tokens.slice(0, -1), targets: ids.tokens.slice(1) }])).toBeGreaterThan(
    0,
  )
})
