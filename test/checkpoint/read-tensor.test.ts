import { expect, it } from 'vitest'
import { readFloats, readIntegers } from '../../src/checkpoint/read-tensor.ts'
import type { SafetensorsDType } from '../../src/checkpoint/safetensors/dtypes.ts'
import { readSafetensorsHeader } from '../../src/checkpoint/safetensors/safetensors.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import type { TensorEntry } from '../../src/checkpoint/tensor-entry.ts'
import { writeSafetensors } from '../support/safetensors-writer.ts'

/** One tensor behind a byte, so that nothing is aligned. */
async function entryOf(dtype: SafetensorsDType, data: ArrayBufferView, length: number): Promise<TensorEntry> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const file = writeSafetensors({ pad: { dtype: 'U8', shape: [1] }, x: { dtype, shape: [length], bytes } })
  return (await readSafetensorsHeader(memorySource('m', file))).tensors.get('x') as TensorEntry
}

const odd = [0, -0, 1, -2.5, 65504, 1e30, -1e-30, Infinity, -Infinity, NaN]

it('reads floats of every width', async () => {
  expect([...(await readFloats(await entryOf('F32', new Float32Array(odd), 10)))]).toEqual(odd.map(Math.fround))
  expect([...(await readFloats(await entryOf('F64', new Float64Array(odd), 10)))]).toEqual(odd.map(Math.fround))
  const bf16 = new Uint16Array([0x0000, 0x8000, 0x3f80, 0xc020, 0x7f80, 0xff80, 0x7fc0, 0x0001, 0x7f7f])
  const bf16Values = [0, -0, 1, -2.5, Infinity, -Infinity, NaN, 2 ** -133, 255 * 2 ** 120]
  expect([...(await readFloats(await entryOf('BF16', bf16, 9)))]).toEqual(bf16Values)
  const f16 = new Uint16Array([0x0000, 0x8000, 0x3c00, 0xc100, 0x7c00, 0xfc00, 0x7e00, 0x0001, 0x03ff, 0x0400, 0x7bff])
  const f16Values = [0, -0, 1, -2.5, Infinity, -Infinity, NaN, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504]
  expect([...(await readFloats(await entryOf('F16', f16, 11)))]).toEqual(f16Values)
})

it('decodes halves in order: each non-negative code is the next larger number', async () => {
  const codes = Uint16Array.from({ length: 0x7c01 }, (_, code) => code)
  const [up, down] = [codes, codes.map(code => code | 0x8000)].map(bits => entryOf('F16', bits, bits.length))
  const numbers = await readFloats(await up!)
  expect(numbers.every((x, code) => code === 0 || x > numbers[code - 1]!)).toBe(true)
  expect(await readFloats(await down!)).toEqual(numbers.map(x => -x))
})

it('reads integers of every width', async () => {
  expect(await readIntegers(await entryOf('I64', new BigInt64Array([1n, -2n, 2n ** 40n]), 3))).toEqual([1, -2, 2 ** 40])
  expect(await readIntegers(await entryOf('U64', new BigUint64Array([3n]), 1))).toEqual([3])
  expect(await readIntegers(await entryOf('I32', new Int32Array([-7, 8]), 2))).toEqual([-7, 8])
  expect(await readIntegers(await entryOf('U32', new Uint32Array([4e9]), 1))).toEqual([4e9])
  expect(await readIntegers(await entryOf('I16', new Int16Array([-7]), 1))).toEqual([-7])
  expect(await readIntegers(await entryOf('U16', new Uint16Array([65535]), 1))).toEqual([65535])
  expect(await readIntegers(await entryOf('I8', new Int8Array([-7]), 1))).toEqual([-7])
  expect(await readIntegers(await entryOf('U8', new Uint8Array([255]), 1))).toEqual([255])
})

it('refuses other types, and integers that a double cannot hold', async () => {
  const words = await entryOf('I64', new BigInt64Array([2n ** 60n]), 1)
  await expect(readFloats(words)).rejects.toThrow('m: tensor "x" is I64; expected F32, F16, BF16 or F64')
  await expect(readIntegers(words)).rejects.toThrow('tensor "x" holds 1152921504606846976; expected integers between')
  const float = await entryOf('F32', new Float32Array(1), 1)
  await expect(readIntegers(float)).rejects.toThrow('tensor "x" is F32; expected I64')
})
