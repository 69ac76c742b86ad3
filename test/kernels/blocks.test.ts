import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { BLOCK_TYPES, type BlockType, WEIGHT_TYPES, type WeightType } from '../../src/tensor/dtype.ts'
import { readSafetensors } from '../support/safetensors.ts'
import { weightSource } from '../support/weights.ts'

const FOLDER = new URL('../fixtures/gguf/blocks/', import.meta.url)

interface BlockFixture {
  readonly block_size: number
  readonly block_bytes: number
  readonly rows: readonly string[]
}

const { types } = JSON.parse(readFileSync(new URL('blocks.json', FOLDER), 'utf8')) as {
  types: Record<string, BlockFixture>
}

describe('block formats, against ggml to the last bit', () => {
  it('all of them are there', () => {
    expect(Object.keys(BLOCK_TYPES).sort()).toEqual(
      Object.keys(types)
        .map(t => t.toLowerCase())
        .filter(t => t !== 'f16' && t !== 'bf16')
        .sort(),
    )
  })

  for (const [name, fixture] of Object.entries(types)) {
    const type = name.toLowerCase() as WeightType
    it(name, async () => {
      const tensors = readSafetensors(new URL(`${name}.safetensors`, FOLDER))
      const { data: bytes } = tensors.get('bytes')!
      const { data: values, shape } = tensors.get('values')!
      const [rows, cols] = shape as [number, number]
      expect(WEIGHT_TYPES[type]).toEqual({ elements: fixture.block_size, bytes: fixture.block_bytes })
      const kernels = createReferenceKernels()
      const weight = await kernels.prepare(weightSource(name, type, rows, cols, bytes), 'embedding')
      const ids = kernels.alloc('i32', [rows])
      kernels.upload(
        ids,
        Int32Array.from({ length: rows }, (_, i) => i),
      )
      const y = kernels.alloc('f32', [rows, cols])
      kernels.embed(y, weight, ids)
      const got = bits((await kernels.read(y)) as Float32Array)
      const want = bits(values as Float32Array)
      for (let r = 0; r < rows; r++) {
        const row = (all: Uint32Array) => all.subarray(r * cols, (r + 1) * cols)
        expect(row(got), fixture.rows[r]).toEqual(row(want))
      }
      kernels.dispose()
    })
  }

  it('bytes that are no whole number of blocks are refused', async () => {
    const type: BlockType = 'q4_k'
    const source = weightSource('w', type, 2, 256, new Uint8Array(2 * 144 - 1))
    await expect(createReferenceKernels().prepare(source, 'matmul')).rejects.toThrow(
      'w has 287 bytes; 2 x 256 of q4_k take 288',
    )
  })
})

/** Every pattern of bits counts, the sign of zero and NaN too. */
function bits(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length)
}
