import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { SAFETENSORS_BITS, type SafetensorsDType } from '../../src/checkpoint/safetensors/dtypes.ts'
import { readSafetensorsHeader } from '../../src/checkpoint/safetensors/safetensors.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { CheckpointError } from '../../src/errors.ts'
import { CountingSource } from '../support/counting-source.ts'
import { concat, type TensorToWrite, withHeader, writeSafetensors } from '../support/safetensors-writer.ts'

const read = (bytes: Uint8Array) => readSafetensorsHeader(memorySource('m.safetensors', bytes))
const data = (n: number) => new Uint8Array(n)
const tensor = (dtype: string, shape: string, offsets: string) =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`

describe('a good file', () => {
  it('is read as the format documents it (bytes of the format’s own test)', async () => {
    // biome-ignore format: eight bytes a line
    const bytes = new Uint8Array([
      64, 0, 0, 0, 0, 0, 0, 0, 123, 34, 97, 116, 116, 110, 46, 48, 34, 58, 123, 34, 100, 116, 121, 112, 101, 34, 58,
      34, 70, 51, 50, 34, 44, 34, 115, 104, 97, 112, 101, 34, 58, 91, 49, 44, 50, 44, 51, 93, 44, 34, 100, 97, 116, 97,
      95, 111, 102, 102, 115, 101, 116, 115, 34, 58, 91, 48, 44, 50, 52, 93, 125, 125, 0, 0, 0, 0, 0, 0, 128, 63,
      0, 0, 0, 64, 0, 0, 64, 64, 0, 0, 128, 64, 0, 0, 160, 64,
    ])
    const { tensors, metadata } = await read(bytes)
    expect(metadata.size).toBe(0)
    expect([...tensors.keys()]).toEqual(['attn.0'])
    const entry = tensors.get('attn.0')
    expect(entry).toMatchObject({ dtype: 'F32', shape: [1, 2, 3], bytes: { offset: 72, length: 24 } })
  })

  it('may be empty, padded, out of order, with scalars, empty tensors and metadata', async () => {
    expect((await read(withHeader('{}      '))).tensors.size).toBe(0)
    const header = `{"b":${tensor('I64', '[]', '[4,12]')},"__metadata__":{"format":"pt","ä":"\\u00e9\\n"},
      "a":${tensor('U8', '[2,2]', '[0,4]')},"none":${tensor('F32', '[0,7]', '[4,4]')}} \n`
    const { tensors, metadata } = await read(withHeader(header, data(12)))
    expect([...tensors.keys()]).toEqual(['a', 'none', 'b'])
    expect(tensors.get('b')?.shape).toEqual([])
    expect([...metadata]).toEqual([
      ['format', 'pt'],
      ['ä', 'é\n'],
    ])
  })

  it('may name tensors anything', async () => {
    const names = ['__proto__', 'constructor', 'toString', '', '"\\', '\u0000', '\ud83d\ude00', '\ud800']
    const bytes = writeSafetensors(new Map(names.map(name => [name, { dtype: 'U8', shape: [1] }])))
    expect([...(await read(bytes)).tensors.keys()]).toEqual(names)
  })

  it('passes over what writers add: values in metadata that are no text, keys of a tensor, types of a later version', async () => {
    const values = ['null', '3', 'true', '"text"', '[1,{"a":null}]', '{"b":[NaN,-Infinity,1.5e-3]}', '[]', '{}']
    for (const value of values) {
      const header = `{"__metadata__":${value},"a":{"dtype":"U8","note":${value},"shape":[2],"data_offsets":[0,2]}}`
      const { tensors } = await read(withHeader(header, data(2)))
      expect(tensors.get('a')).toMatchObject({ dtype: 'U8', shape: [2] })
    }
    const mixed = await read(withHeader('{"__metadata__":{"n":3,"format":"pt","x":null}}'))
    expect([...mixed.metadata]).toEqual([['format', 'pt']])
    const later = await read(withHeader('{"a":{"dtype":"F2_E1M0","shape":[2],"data_offsets":[0,5]}}', data(5)))
    expect(later.tensors.get('a')).toMatchObject({ dtype: 'F2_E1M0', shape: [2], bytes: { length: 5 } })
  })

  it('knows every type of the format', async () => {
    const all = Object.keys(SAFETENSORS_BITS) as SafetensorsDType[]
    const bytes = writeSafetensors(Object.fromEntries(all.map(dtype => [dtype, { dtype, shape: [3, 8] }])))
    const { tensors } = await read(bytes)
    for (const dtype of all) expect(tensors.get(dtype)?.bytes.length).toBe(3 * SAFETENSORS_BITS[dtype])
  })

  it('round-trips, reading the header and nothing else', async () => {
    const dtype = fc.constantFrom(...(Object.keys(SAFETENSORS_BITS) as SafetensorsDType[]))
    const shape = fc.array(fc.nat(9), { maxLength: 4 })
    const one = fc.record({ dtype, shape }).filter(t => (elements(t) * SAFETENSORS_BITS[t.dtype]) % 8 === 0)
    const name = fc.string({ unit: 'binary', maxLength: 20 }).filter(n => n !== '__metadata__')
    const file = fc.uniqueArray(fc.tuple(name, one), { selector: ([n]) => n, maxLength: 12 })
    const metadata = fc.option(fc.dictionary(fc.string(), fc.string()), { nil: undefined })
    await fc.assert(
      fc.asyncProperty(file, metadata, async (tensors, meta) => {
        const bytes = writeSafetensors(new Map(tensors), meta)
        const source = new CountingSource(memorySource('m', bytes))
        const result = await readSafetensorsHeader(source)
        expect(result.tensors.size).toBe(tensors.length)
        for (const [n, t] of tensors) expect(result.tensors.get(n)).toMatchObject({ name: n, ...t })
        expect([...result.metadata]).toEqual(Object.entries(meta ?? {}))
        const end = [...result.tensors.values()].reduce((sum, t) => sum + t.bytes.length, 0)
        expect(source.end).toBe(bytes.length - end)
        expect(source.bytesRead).toBe(source.end)
      }),
    )
  })
})

describe('a bad file gives an error that names it', () => {
  const big = 2n ** 63n
  test.each<[string, Uint8Array, string]>([
    ['nothing', data(0), 'm.safetensors is empty (0 bytes); download it again'],
    ['too short', data(7).fill(1), 'm.safetensors has 7 bytes; a safetensors file begins with the 8-byte length'],
    ['header of length 0', concat([data(8), data(1).fill(1)]), 'begins with "" instead of "{"'],
    ['zeros', data(600), 'begins with zeros only'],
    ['header past the end', concat([u64(10n), data(9)]), 'declares a header of 10 bytes, but only 9 follow'],
    ['header of 100 MB', concat([u64(100_000_001n), data(9)]), 'header of 100000001 bytes; the limit is 100000000'],
    ['header of 2^63', concat([u64(big), data(9)]), `declares a header of ${big} bytes; the limit`],
    ['not UTF-8', withHeader(new Uint8Array([0x7b, 0xff, 0x7d])), 'header that is not UTF-8'],
    ['a BOM', withHeader('\ufeff{}'), 'begins with "\\ufeff{}" instead of "{"'],
    ['leading space', withHeader(' {}'), 'begins with " {}" instead of "{"'],
    ['a list', withHeader('[]'), 'begins with "[]" instead of "{"'],
    ['not closed', withHeader('{'), 'the end instead of a key in quotes'],
    ['text behind', withHeader('{}{}'), '"{}" after the end (character 2)'],
    ['trailing comma', withHeader(`{"a":${tensor('U8', '[0]', '[0,0]')},}`), '"}" instead of a key in quotes'],
    ['open string', withHeader('{"a'), 'a string does not end'],
    ['bad escape', withHeader('{"\\x":1}'), 'bad escape or control character'],
    ['control character', withHeader('{"a\u0001":1}'), 'bad escape or control character'],
    ['tensor is a number', withHeader('{"a":1}'), '"1}" instead of "{", which begins tensor "a"'],
    ['nested', withHeader(`{"a":{"dtype":${'['.repeat(10_000)}`), 'instead of dtype of tensor "a" in quotes'],
    ['twice', withHeader('{"a":{"dtype":"U8","dtype":"U8"}}'), 'the key "dtype" comes twice in tensor "a"'],
    [
      'same tensor twice, once escaped',
      withHeader(`{"a":${tensor('U8', '[0]', '[0,0]')},"\\u0061":{}}`),
      'the key "a" comes twice in the header',
    ],
    ['a key without value', withHeader('{"a":{"order":}}'), '"}}" instead of order of tensor "a"'],
    ['a word that is no value', withHeader('{"a":{"order":maybe}}'), '"maybe}}" instead of order of tensor "a"'],
    ['a value too deep', withHeader(`{"a":{"order":${'['.repeat(10_000)}`), 'nests more than 100 levels'],
    ['no dtype', withHeader('{"a":{}}'), 'tensor "a" has no dtype'],
    ['no shape', withHeader('{"a":{"dtype":"F32"}}'), 'tensor "a" has no shape'],
    ['no offsets', withHeader('{"a":{"dtype":"F32","shape":[]}}'), 'tensor "a" has no data_offsets'],
    ['unknown dtype', withHeader(`{"a":${tensor('f31', '[0]', '[0,0]')}}`), 'tensor "a" has dtype "f31"; expected one'],
    [
      'a dtype of ggml',
      withHeader(`{"a":${tensor('Q8_0', '[0]', '[0,0]')}}`),
      'tensor "a" has dtype "Q8_0"; expected one',
    ],
    ['dtype of Object', withHeader(`{"a":${tensor('toString', '[]', '[0,0]')}}`), 'has dtype "toString"'],
    ['negative', withHeader(`{"a":${tensor('U8', '[-1]', '[0,0]')}}`), 'in shape of tensor "a"; expected an integer'],
    [
      'fraction',
      withHeader(`{"a":${tensor('U8', '[1.5]', '[0,0]')}}`),
      '"1.5" in shape of tensor "a"; expected an integer',
    ],
    ['1.0', withHeader(`{"a":${tensor('U8', '[1.0]', '[0,1]')}}`, data(1)), 'in shape of tensor "a"'],
    ['1e2', withHeader(`{"a":${tensor('U8', '[1e2]', '[0,1]')}}`, data(1)), 'in shape of tensor "a"'],
    ['01', withHeader(`{"a":${tensor('U8', '[01]', '[0,1]')}}`, data(1)), 'in shape of tensor "a"'],
    ['null', withHeader(`{"a":${tensor('U8', '[null]', '[0,1]')}}`, data(1)), 'in shape of tensor "a"'],
    ['2^53', withHeader(`{"a":${tensor('U8', '[9007199254740992]', '[0,1]')}}`), 'an integer from 0 to 2^53 - 1'],
    ['a long number', withHeader(`{"a":${tensor('U8', `[${'9'.repeat(1e6)}]`, '[0,1]')}}`), 'in shape of tensor "a"'],
    [
      '65 axes',
      withHeader(`{"a":${tensor('U8', `[${'1,'.repeat(64)}1]`, '[0,1]')}}`, data(1)),
      'more than 64 elements',
    ],
    [
      'product overflows',
      withHeader(`{"a":${tensor('U8', '[4294967296,4294967296]', '[0,0]')}}`),
      'tensor "a" has shape [4294967296, 4294967296], more elements than any file can hold',
    ],
    [
      'product wraps to 0 in 64 bits',
      withHeader(`{"a":${tensor('F32', '[4611686018427387,1024,0]', '[0,0]')}}`),
      'more elements than any file',
    ],
    [
      'half a byte',
      withHeader(`{"a":${tensor('F4', '[3]', '[0,1]')}}`, data(1)),
      'takes 12 bits; expected whole bytes',
    ],
    [
      'one offset',
      withHeader(`{"a":${tensor('U8', '[1]', '[1]')}}`, data(1)),
      'data_offsets [1]; expected [start, end]',
    ],
    ['three offsets', withHeader(`{"a":${tensor('U8', '[1]', '[0,1,2]')}}`, data(1)), 'more than 2 elements'],
    ['reversed', withHeader(`{"a":${tensor('U8', '[1]', '[1,0]')}}`, data(1)), 'data_offsets [1, 0]; expected [start'],
    [
      'wrong length',
      withHeader(`{"a":${tensor('F32', '[2,2]', '[0,15]')}}`, data(15)),
      'tensor "a" has 15 bytes (data_offsets [0, 15]); shape [2, 2] of F32 takes 16',
    ],
    [
      'past the end',
      withHeader(`{"a":${tensor('U8', '[9]', '[0,9]')}}`, data(8)),
      'tensor "a" ends at byte 9 of the data, but the file holds 8',
    ],
    [
      'overlap',
      withHeader(`{"a":${tensor('U8', '[4]', '[0,4]')},"b":${tensor('U8', '[4]', '[2,6]')}}`, data(6)),
      'tensor "b" begins at byte 2 of the data, inside tensor "a"',
    ],
    [
      'same bytes twice',
      withHeader(`{"a":${tensor('U8', '[4]', '[0,4]')},"b":${tensor('U8', '[4]', '[0,4]')}}`, data(4)),
      'tensor "b" begins at byte 0 of the data, inside tensor "a"',
    ],
    [
      'a hole',
      withHeader(`{"a":${tensor('U8', '[4]', '[0,4]')},"b":${tensor('U8', '[1]', '[5,6]')}}`, data(6)),
      'tensor "b" begins at byte 5 of the data; expected 4, where tensor "a" ends',
    ],
    [
      'a hole in front',
      withHeader(`{"a":${tensor('U8', '[4]', '[1,5]')}}`, data(5)),
      'expected 0, where the header ends',
    ],
    [
      'bytes left over',
      withHeader('{}', data(3)),
      'holds 3 bytes of data, but its tensors take 0; the rest is unknown',
    ],
    ['metadata without value', withHeader('{"__metadata__":}'), 'instead of __metadata__'],
    ['metadata twice', withHeader('{"__metadata__":{},"__metadata__":{}}'), 'the key "__metadata__" comes twice'],
  ])('%s', async (_, bytes, message) => {
    const source = new CountingSource(memorySource('m.safetensors', bytes))
    const error = await readSafetensorsHeader(source).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(CheckpointError)
    expect((error as Error).message).toContain('m.safetensors')
    expect((error as Error).message).toContain(message)
    expect((error as Error).message.length).toBeLessThan(2000)
    // The first bytes may be looked at again for what the file is instead.
    expect(source.bytesRead).toBeLessThanOrEqual(bytes.length + 512)
  })

  it('of a hundred megabytes of brackets in bounded memory and time', async () => {
    const size = 100_000_000
    const bytes = new Uint8Array(8 + size).fill(0x5b, 9)
    bytes[8] = 0x7b
    new DataView(bytes.buffer).setBigUint64(0, BigInt(size), true)
    const before = process.memoryUsage().heapUsed
    const start = process.cpuUsage()
    await expect(read(bytes)).rejects.toThrow('instead of a key in quotes')
    expect(process.cpuUsage(start).user).toBeLessThan(3e6)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(300e6)
  })

  it('when a backslash never ends', async () => {
    const start = process.cpuUsage()
    await expect(read(withHeader(`{"${'\\"'.repeat(1e6)}`))).rejects.toThrow('a string does not end')
    await expect(read(withHeader(`{"${'\\'.repeat(1e6)}`))).rejects.toThrow('a string does not end')
    expect(process.cpuUsage(start).user).toBeLessThan(3e6)
  })
})

function elements({ shape }: TensorToWrite): number {
  return shape.reduce((n, d) => n * d, 1)
}

function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}
