/** Factors beside matrices in GGUF files, of NVFP4 and of others: what is read is the matrix's numbers times them. */
import { describe, expect, it } from 'vitest'
import type { GgufTensor } from '../../src/checkpoint/gguf/header.ts'
import { withScales } from '../../src/checkpoint/gguf/tensor-scales.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { CheckpointError } from '../../src/errors.ts'
import { gemma4 } from '../../src/families/gemma4/gguf.ts'
import { qwen3Moe } from '../../src/families/qwen3-moe/gguf.ts'
import { readSafetensors } from '../support/safetensors.ts'

const FIXTURE = new URL('../fixtures/gguf/blocks/NVFP4.safetensors', import.meta.url)
const fixture = readSafetensors(FIXTURE)
const blocks = fixture.get('bytes')!.data as Uint8Array
const values = fixture.get('values')!.data as Float32Array
const ROWS = fixture.get('values')!.shape[0] as number

function tensor(name: string, type: GgufTensor['type'], shape: readonly number[], bytes: Uint8Array): GgufTensor {
  return { name, type, shape, bytes: { source: memorySource(name, bytes), offset: 0, length: bytes.length } }
}

const factors = (name: string, numbers: readonly number[]) =>
  tensor(name, 'F32', [numbers.length], new Uint8Array(Float32Array.from(numbers).buffer))

function file(...tensors: readonly GgufTensor[]) {
  return withScales(new Map(tensors.map(one => [one.name, one])), qwen3Moe.naming)
}

async function numbersOf({ bytes }: GgufTensor): Promise<Float32Array> {
  const read = await bytes.source.read(bytes.offset, bytes.length)
  return new Float32Array(read.slice().buffer)
}

describe('factors of matrices', () => {
  const weight = tensor('blk.0.attn_q.weight', 'NVFP4', [ROWS, 512], blocks)

  it('one for a matrix', async () => {
    const read = file(weight, factors('blk.0.attn_q.scale', [0.75]), factors('blk.0.attn_q.input_scale', [3]))
    expect([...read.keys()]).toEqual(['blk.0.attn_q.weight'])
    const found = await numbersOf(read.get('blk.0.attn_q.weight')!)
    expect(found).toEqual(values.map(value => Math.fround(value * 0.75)))
  })

  it('one for each expert', async () => {
    const experts = tensor('blk.0.ffn_up_exps.weight', 'NVFP4', [2, ROWS / 2, 512], blocks)
    const read = file(experts, factors('blk.0.ffn_up_exps.scale', [2, 0.5]))
    const found = await numbersOf(read.get('blk.0.ffn_up_exps.weight')!)
    expect(found).toEqual(values.map((value, i) => value * (i < values.length / 2 ? 2 : 0.5)))
  })

  it('without, blocks stay blocks; factors of another shape are refused', () => {
    expect(file(weight).get('blk.0.attn_q.weight')).toBe(weight)
    const other = factors('blk.0.attn_q.scale', [1, 2])
    expect(() => file(weight, other)).toThrow(CheckpointError)
    expect(() => file(weight, other)).toThrow('"blk.0.attn_q.scale" is F32 [2]; expected F32, one number')
  })

  it("stay where the model has a tensor of that name: Gemma 4's factors of experts", () => {
    const experts = tensor('blk.0.ffn_down_exps.weight', 'NVFP4', [2, ROWS / 2, 512], blocks)
    const own = factors('blk.0.ffn_down_exps.scale', [2, 0.5])
    const read = withScales(new Map([experts, own].map(one => [one.name, one])), gemma4.naming)
    expect([...read.values()]).toEqual([experts, own])
  })

  it('are of matrices of other types, too, in layers and of the output', async () => {
    const bytes = (numbers: readonly number[]) => new Uint8Array(Float32Array.from(numbers).buffer)
    const matrix = (name: string) => tensor(`${name}.weight`, 'F32', [2, 2], bytes([1, 2, 3, 4]))
    const read = file(
      ...['blk.0.attn_q', 'output', 'token_embd'].flatMap(name => [matrix(name), factors(`${name}.scale`, [0.5])]),
      ...[tensor('blk.0.attn_norm.weight', 'F32', [2], bytes([1, 2])), factors('blk.0.attn_norm.scale', [3])],
    )
    expect(await numbersOf(read.get('blk.0.attn_q.weight')!)).toEqual(Float32Array.of(0.5, 1, 1.5, 2))
    expect(await numbersOf(read.get('output.weight')!)).toEqual(Float32Array.of(0.5, 1, 1.5, 2))
    const odd = 'blk.0.attn_qweight'
    expect(file(tensor(odd, 'F32', [2, 2], bytes([1, 2, 3, 4]))).has(odd)).toBe(true)
    // What nobody multiplies by stays, and is refused as a tensor that is not known.
    expect([...read.keys()].filter(name => name.endsWith('.scale'))).toEqual([
      'token_embd.scale',
      'blk.0.attn_norm.scale',
    ])
  })
})
