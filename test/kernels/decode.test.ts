/** Blocks of every type as ggml reads them (test/fixtures/gguf/README.md): the same numbers to the last bit. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeNumbers } from '../../src/quant/numbers.ts'
import { BLOCK_TYPES, type WeightType } from '../../src/tensor/dtype.ts'
import { readSafetensors } from '../support/safetensors.ts'

const FOLDER = new URL('../fixtures/gguf/blocks/', import.meta.url)
const { types } = JSON.parse(readFileSync(new URL('blocks.json', FOLDER), 'utf8')) as { types: Record<string, unknown> }
const names = Object.keys(types)

describe('block decoders', () => {
  it('every type has numbers of ggml', () => {
    expect(names.map(name => name.toLowerCase())).toEqual(expect.arrayContaining(Object.keys(BLOCK_TYPES)))
  })

  it.each(names)('%s', name => {
    const tensors = readSafetensors(new URL(`${name}.safetensors`, FOLDER))
    const values = decodeNumbers(name.toLowerCase() as WeightType, tensors.get('bytes')!.data as Uint8Array)
    const expected = tensors.get('values')!.data as Float32Array
    // Zeros may differ in their sign.
    expect(values.length).toBe(expected.length)
    expect(values.findIndex((value, i) => value !== expected[i])).toBe(-1)
  })
})
