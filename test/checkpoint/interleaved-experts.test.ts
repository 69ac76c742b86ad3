/** gpt-oss's experts: one tensor for all, gate and up by turns, in MXFP4 with scales beside the codes or as floats. */
import { expect, it } from 'vitest'
import { cutInterleavedExperts } from '../../src/checkpoint/interleaved-experts.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import type { StoredType, TensorEntry } from '../../src/checkpoint/tensor-entry.ts'
import { decodeNumbers } from '../../src/quant/numbers.ts'

const AT = 'model.layers.0.mlp.experts.'
/** OCP Microscaling, FP4 E2M1. */
const E2M1 = [0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6]

function entry(
  name: string,
  dtype: StoredType,
  shape: readonly number[],
  data: Uint8Array | Float32Array,
): TensorEntry {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return {
    name: AT + name,
    dtype,
    shape,
    bytes: { source: memorySource(name, bytes), offset: 0, length: bytes.length },
  }
}

const map = (...entries: TensorEntry[]) => new Map(entries.map(e => [e.name, e]))

async function numbersOf({ dtype, bytes }: TensorEntry): Promise<number[]> {
  const read = await bytes.source.read(bytes.offset, bytes.length)
  return Array.from(decodeNumbers(dtype.toLowerCase() as 'f32', read))
}

it('blocks become those of GGUF, rows by turns', async () => {
  const [E, rows, groups] = [2, 4, 2]
  const codes = Uint8Array.from({ length: E * rows * groups * 16 }, (_, i) => (37 * i + 11) & 255)
  const scales = Uint8Array.from({ length: E * rows * groups }, (_, i) => 120 + (i % 9))
  const cut = cutInterleavedExperts(
    map(
      entry('gate_up_proj_blocks', 'U8', [E, rows, groups, 16], codes),
      entry('gate_up_proj_scales', 'U8', [E, rows, groups], scales),
      entry('gate_up_proj_bias', 'F32', [E, rows], Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7])),
    ),
  )
  expect([...cut.keys()].map(name => name.slice(AT.length)).sort()).toEqual([
    ...['0.gate_proj.weight', '0.up_proj.weight', '1.gate_proj.weight', '1.up_proj.weight'],
    ...['gate_proj.bias', 'up_proj.bias'],
  ])
  // Code i of a row is the low half of byte i / 2 where i is even, else the high one.
  const number = (e: number, row: number, i: number) => {
    const at = (e * rows + row) * groups * 32 + i
    const code = (codes[at >> 1]! >> (4 * (at & 1))) & 15
    return E2M1[code]! * 2 ** (scales[at >> 5]! - 127)
  }
  for (const [first, module] of ['gate_proj', 'up_proj'].entries()) {
    for (let e = 0; e < E; e++) {
      const found = cut.get(`${AT}${e}.${module}.weight`) as TensorEntry
      expect([found.dtype, found.shape]).toEqual(['MXFP4', [2, 64]])
      const expected = Array.from({ length: 128 }, (_, i) => number(e, first + 2 * Math.floor(i / 64), i % 64))
      expect((await numbersOf(found)).map(x => x + 0)).toEqual(expected.map(x => x + 0))
    }
  }
  expect(await numbersOf(cut.get(`${AT}up_proj.bias`) as TensorEntry)).toEqual([1, 3, 5, 7])
})

it('floats are stored [inputs, outputs]', async () => {
  const [E, D, F] = [2, 3, 4]
  const down = Float32Array.from({ length: E * F * D }, (_, i) => i)
  const gateUp = Float32Array.from({ length: E * D * 2 * F }, (_, i) => i)
  const cut = cutInterleavedExperts(
    map(
      entry('gate_up_proj', 'F32', [E, D, 2 * F], gateUp),
      entry('gate_up_proj_bias', 'F32', [E, 2 * F], new Float32Array(E * 2 * F)),
      entry('down_proj', 'F32', [E, F, D], down),
      entry('down_proj_bias', 'F32', [E, D], new Float32Array(E * D)),
    ),
  )
  const at = (e: number, row: number, col: number) => (e * D + col) * 2 * F + 2 * row + 1
  const up = Array.from({ length: F * D }, (_, i) => at(1, Math.floor(i / D), i % D))
  expect(await numbersOf(cut.get(`${AT}1.up_proj.weight`) as TensorEntry)).toEqual(up)
  const expected = Array.from({ length: D * F }, (_, i) => (1 * F + (i % F)) * D + Math.floor(i / F))
  expect(await numbersOf(cut.get(`${AT}1.down_proj.weight`) as TensorEntry)).toEqual(expected)
})

it.each<[string, TensorEntry[], string]>([
  ['missing matrices', [], 'is missing'],
  [
    'blocks of other rows',
    [
      entry('down_proj_blocks', 'U8', [1, 3, 1, 16], new Uint8Array(48)),
      entry('down_proj_scales', 'U8', [1, 3, 1], new Uint8Array(3)),
    ],
    'expected [1, 2, 1, 16]',
  ],
  [
    'scales of another shape',
    [
      entry('down_proj_blocks', 'U8', [1, 2, 1, 16], new Uint8Array(32)),
      entry('down_proj_scales', 'U8', [1, 2, 2], new Uint8Array(4)),
    ],
    'expected [1, 2, 1]',
  ],
  ['integers', [entry('down_proj', 'I32', [1, 4, 2], new Float32Array(8))], 'expected F32, F16 or BF16'],
])('refuses %s', (_, others, message) => {
  const bias = entry('down_proj_bias', 'F32', [1, 2], new Float32Array(2))
  expect(() => cutInterleavedExperts(map(bias, ...others))).toThrow(message)
})
