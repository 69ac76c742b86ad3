import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeNumbers, type EncodableType, encodeNumbers, isEncodableType } from '../../src/quant/numbers.ts'
import { WEIGHT_TYPES } from '../../src/tensor/dtype.ts'
import { Rng } from '../support/rng.ts'
import { readSafetensors } from '../support/safetensors.ts'

const FOLDER = new URL('../fixtures/gguf/blocks/', import.meta.url)
const { types } = JSON.parse(readFileSync(new URL('blocks.json', FOLDER), 'utf8')) as {
  types: Record<string, { readonly rows: readonly string[] }>
}
const WRITTEN = Object.keys(types).filter(name => isEncodableType(name.toLowerCase()))

/** ggml's method has no search here: the same bytes come out. */
const SAME_BYTES = ['F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1']

function fixture(name: string) {
  const tensors = readSafetensors(new URL(`${name}.safetensors`, FOLDER))
  const of = (tensor: string) => tensors.get(tensor)!
  const cols = of('input').shape[1]!
  const inputRows = of('input').shape[0]!
  const row = <T extends Float32Array | Uint8Array>(data: T, width: number, r: number) =>
    data.slice(r * width, (r + 1) * width) as T
  return {
    rows: types[name]!.rows.slice(0, inputRows),
    input: (r: number) => row(of('input').data as Float32Array, cols, r),
    values: (r: number) => row(of('values').data as Float32Array, cols, r),
    bytes: (r: number) => row(of('bytes').data as Uint8Array, of('bytes').shape[1]!, r),
  }
}

describe('block encoders', () => {
  it('all that are promised are there', () => {
    expect(WRITTEN.map(n => n.toLowerCase()).sort()).toEqual([
      'bf16',
      'f16',
      'iq4_nl',
      'mxfp4',
      'q2_k',
      'q3_k',
      'q4_0',
      'q4_1',
      'q4_k',
      'q5_0',
      'q5_1',
      'q5_k',
      'q6_k',
      'q8_0',
    ])
  })

  for (const name of WRITTEN) {
    const type = name.toLowerCase() as EncodableType
    const { rows, input, values, bytes } = fixture(name)
    if (SAME_BYTES.includes(name)) {
      it(`${name}: ggml's bytes`, () => {
        for (const [r, row] of rows.entries()) expect(encodeNumbers(type, input(r)), row).toEqual(bytes(r))
      })
      continue
    }
    it(`${name}: as near to the origin as ggml's`, () => {
      const ratios = rows.flatMap((row, r) => {
        const ours = rms(decodeNumbers(type, encodeNumbers(type, input(r))), input(r))
        const theirs = rms(values(r), input(r))
        expect(ours, row).toBeLessThanOrEqual(theirs * 1.005)
        return theirs > 0 ? [ours / theirs] : []
      })
      expect(ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length).toBeLessThan(1)
    })
  }

  for (const name of WRITTEN) {
    const type = name.toLowerCase() as EncodableType
    it(`${name}: zeros stay zeros, numbers too small for a scale become zeros`, () => {
      const { elements } = WEIGHT_TYPES[type]
      for (const value of [0, 1e-30, -1e-30]) {
        const decoded = decodeNumbers(type, encodeNumbers(type, new Float32Array(2 * elements).fill(value)))
        for (const got of decoded) expect(Math.abs(got)).toBeLessThanOrEqual(Math.abs(value) * 2)
      }
    })

    it(`${name}: what was decoded is encoded to nearly the same numbers`, () => {
      const x = new Rng(7).normals(4096)
      const once = decodeNumbers(type, encodeNumbers(type, x))
      const twice = decodeNumbers(type, encodeNumbers(type, once))
      expect(rms(twice, once)).toBeLessThanOrEqual(rms(once, x) * 0.5)
    })
  }
})

function rms(got: Float32Array, want: Float32Array): number {
  let sum = 0
  for (let i = 0; i < want.length; i++) sum += (got[i]! - want[i]!) ** 2
  return Math.sqrt(sum / want.length)
}
