/** FP8 weights compute what the numbers that they stand for compute, whatever type and shape their factors have. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readRows } from '../../src/checkpoint/recode/weight-rows.ts'
import { convertModel } from '../../src/conversion/convert.ts'
import { loadModel } from '../../src/model/load.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { readPlanModel } from '../../src/planning/lazy.ts'
import { inspectModel } from '../../src/tools.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { Rng } from '../support/rng.ts'
import { type TensorToWrite, writeSafetensors } from '../support/safetensors-writer.ts'
import { tempFolder } from '../support/temp-folder.ts'

const [D, F, VOCAB] = [48, 80, 20]
const BLOCK = 32
const CONFIG = {
  model_type: 'llama',
  vocab_size: VOCAB,
  hidden_size: D,
  intermediate_size: F,
  num_hidden_layers: 1,
  num_attention_heads: 3,
  max_position_embeddings: 64,
  tie_word_embeddings: true,
  quantization_config: { quant_method: 'fp8', weight_block_size: [BLOCK, BLOCK] },
}
const AT = 'model.layers.0.'
const MATRICES: Readonly<Record<string, readonly [number, number]>> = {
  ...Object.fromEntries(['q', 'k', 'v', 'o'].map(p => [`${AT}self_attn.${p}_proj.weight`, [D, D] as const])),
  [`${AT}mlp.gate_proj.weight`]: [F, D],
  [`${AT}mlp.up_proj.weight`]: [F, D],
  [`${AT}mlp.down_proj.weight`]: [D, F],
}

type FactorType = 'F32' | 'BF16' | 'F16' | 'F8_E8M0'

/** Powers of two, which all types hold. */
function factors(count: number, type: FactorType, seed: string): Uint8Array {
  const rng = new Rng(seed)
  const exponents = Array.from({ length: count }, () => rng.below(5) - 6)
  if (type === 'F8_E8M0') return Uint8Array.from(exponents, e => e + 127)
  if (type === 'F16') return new Uint8Array(Uint16Array.from(exponents, e => (e + 15) << 10).buffer)
  const f32 = Float32Array.from(exponents, e => 2 ** e)
  if (type === 'F32') return new Uint8Array(f32.buffer)
  return new Uint8Array(Uint16Array.from(new Uint32Array(f32.buffer), bits => bits >>> 16).buffer)
}

type Shape = 'blocks' | 'rows' | 'one'

function folder(type: FactorType, shape: Shape = 'blocks', suffix = '_scale_inv'): string {
  const grid = ([rows, cols]: readonly [number, number]) =>
    ({ blocks: [Math.ceil(rows / BLOCK), Math.ceil(cols / BLOCK)], rows: [rows, 1], one: [] })[shape]
  const tensors = new Map<string, TensorToWrite>()
  const floats = (name: string, shape: readonly number[], mean: number) => {
    const data = new Rng(name).normals(
      shape.reduce((n, d) => n * d, 1),
      0.5,
      mean,
    )
    tensors.set(name, { dtype: 'F32', shape, bytes: new Uint8Array(data.buffer) })
  }
  floats('model.embed_tokens.weight', [VOCAB, D], 0)
  for (const norm of ['model.norm', `${AT}input_layernorm`, `${AT}post_attention_layernorm`])
    floats(`${norm}.weight`, [D], 1)
  for (const [name, size] of Object.entries(MATRICES)) {
    const rng = new Rng(name)
    // Codes of numbers up to 30, both signs.
    const bytes = Uint8Array.from({ length: size[0] * size[1] }, () => rng.below(0x60) | (rng.below(2) << 7))
    tensors.set(name, { dtype: 'F8_E4M3', shape: size, bytes })
    const cut = grid(size)
    const count = cut.reduce((n, d) => n * d, 1)
    tensors.set(name + suffix, { dtype: type, shape: cut, bytes: factors(count, type, `factors of ${name}`) })
  }
  return tempFolder({ 'config.json': JSON.stringify(CONFIG), 'model.safetensors': writeSafetensors(tensors) })
}

const IDS = [3, 14, 1, 5, 9, 2, 6]

async function logitsOf(path: string, set: (typeof KERNEL_SETS)[number]): Promise<number[]> {
  const kernels = await set.make()
  try {
    const model = await loadModel(await openModel(path), kernels, { cacheType: 'f32' })
    const input = {
      tokens: IDS,
      cache: model.sequence(16),
      prompt: { start: 0, end: IDS.length },
      logits: 'all',
    } as const
    const logits = [...((await kernels.memory.read(await model.forward([input]))) as Float32Array)]
    model.dispose()
    return logits
  } finally {
    kernels.dispose()
  }
}

const OTHERS: [FactorType, Shape, string][] = [
  ['BF16', 'blocks', '_scale_inv'],
  ['F16', 'blocks', '_scale_inv'],
  ['F8_E8M0', 'blocks', '_scale_inv'],
  ['F32', 'blocks', '_scale'],
]

for (const set of KERNEL_SETS) {
  describe.skipIf(set.missing !== null)(`on ${set.name}`, () => {
    it.each(OTHERS)('%s factors by %s, weight%s, give the bits that F32 ones give', async (type, shape, suffix) => {
      expect(await logitsOf(folder(type, shape, suffix), set)).toEqual(await logitsOf(folder('F32'), set))
    })

    it.each(['rows', 'one'] as const)('a factor for %s counts as the numbers do', async shape => {
      const path = folder('BF16', shape, '_scale')
      const plain = join(tempFolder(), 'plain')
      await convertModel(path, plain, { weights: 'f32' })
      const [fp8, f32] = [await logitsOf(path, set), await logitsOf(plain, set)]
      const worst = fp8.reduce((most, v, i) => Math.max(most, Math.abs(v - (f32[i] as number)) / (1 + Math.abs(v))), 0)
      expect(worst).toBeLessThan(1e-4)
    })
  })
}

it('a factor multiplies its own block, row or matrix', async () => {
  const [name, size] = Object.entries(MATRICES)[4] as [string, readonly [number, number]]
  for (const shape of ['blocks', 'rows', 'one'] as const) {
    const weight = (await openModel(folder('F32', shape))).checkpoint.matrix(name, ...size)
    const rows = await readRows(weight, 0, size[0])
    const { scales: _, ...bare } = weight
    const codes = await readRows(bare, 0, size[0])
    const count = { blocks: Math.ceil(F / BLOCK) * Math.ceil(D / BLOCK), rows: F, one: 1 }[shape]
    const expected = new Float32Array(factors(count, 'F32', `factors of ${name}`).buffer)
    for (const [r, k] of [
      [0, 0],
      [31, 31],
      [32, 31],
      [31, 32],
      [79, 47],
      [5, 40],
    ] as const) {
      const at = { blocks: Math.floor(r / BLOCK) * 2 + Math.floor(k / BLOCK), rows: r, one: 0 }[shape]
      expect(rows[r * D + k]).toBe((codes[r * D + k] as number) * (expected[at] as number))
    }
  }
})

it('inspect and plan count the bytes that the files have', async () => {
  const path = folder('BF16')
  const data = Object.values(MATRICES).reduce((n, [rows, cols]) => n + rows * cols, 0)
  const grids = Object.values(MATRICES).reduce((n, [r, c]) => n + 2 * Math.ceil(r / BLOCK) * Math.ceil(c / BLOCK), 0)
  const { weights, unused, warnings } = await inspectModel(path, { offline: true })
  expect(weights.bytes).toBe(data + grids + 4 * (VOCAB * D + 3 * D))
  expect([unused, warnings]).toEqual([[], []])
  expect((await readPlanModel(path)).stored).toMatchObject({ fileBytes: weights.bytes })
})
