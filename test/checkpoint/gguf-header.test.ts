import { describe, expect, it } from 'vitest'
import { bytesOfText, textOfBytes } from '../../src/byte-text.ts'
import { readGgufHeader } from '../../src/checkpoint/gguf/header.ts'
import { partNames } from '../../src/checkpoint/gguf/part-names.ts'
import { readGgufSet } from '../../src/checkpoint/gguf/split.ts'
import { filesFrom } from '../../src/checkpoint/source/checkpoint-files.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { CheckpointError } from '../../src/errors.ts'
import { CountingSource } from '../support/counting-source.ts'
import { type GgufToWrite, type GgufValue, string, u32, u64, VALUE, writeGguf } from '../support/gguf-writer.ts'
import { concat } from '../support/safetensors-writer.ts'

const F32 = 0
const Q8_0 = 8
const floats = (n: number) => ({ type: F32, ne: [n], bytes: new Uint8Array(4 * n) })

const read = (bytes: Uint8Array) => readGgufHeader(memorySource('m.gguf', bytes))

/** Opening fails with a CheckpointError that holds all of the texts. */
async function refuses(file: GgufToWrite | Uint8Array, ...texts: readonly string[]): Promise<void> {
  const error: unknown = await read(file instanceof Uint8Array ? file : writeGguf(file)).catch(e => e)
  expect(error).toBeInstanceOf(CheckpointError)
  for (const text of ['m.gguf', ...texts]) expect((error as Error).message).toContain(text)
}

describe('what a header says', () => {
  const metadata: Record<string, GgufValue> = {
    'general.architecture': ['string', 'llama'],
    'llama.block_count': ['u32', 2],
    'llama.eps': ['f32', 1e-6],
    'x.small': ['i8', -3],
    'x.word': ['u16', 65535],
    'x.negative': ['i64', -7],
    'x.long': ['u64', 2 ** 40],
    'x.double': ['f64', 0.1],
    'x.yes': ['bool', true],
    'x.tokens': ['array', 'string', ['a', '', 'ä▁']],
    'x.scores': ['array', 'f32', [0.5, -1]],
    'x.types': ['array', 'i32', [1, 3]],
    'x.none': ['array', 'string', []],
  }
  const tensors = {
    'a.weight': { type: Q8_0, ne: [64, 3, 2], bytes: new Uint8Array(6 * 2 * 34).fill(7) },
    'b.weight': floats(5),
  }

  it.each([2, 3])('version %i: values keep their types, shapes are outermost first', async version => {
    const file = await read(writeGguf({ version, metadata, tensors }))
    const m = file.metadata
    expect(file.version).toBe(version)
    expect(m.architecture).toBe('llama')
    expect(m.int('{arch}.block_count')).toBe(2)
    expect(m.number('{arch}.eps')).toBe(1e-6)
    expect([m.int('x.small', { min: -3 }), m.int('x.word'), m.int('x.negative', { min: -7 })]).toEqual([-3, 65535, -7])
    expect([m.int('x.long'), m.number('x.double'), m.optionalBool('x.yes')]).toEqual([2 ** 40, 0.1, true])
    expect(m.strings('x.tokens')).toEqual(['a', '', 'ä▁'])
    expect(m.optionalNumbers('x.scores')).toEqual([0.5, -1])
    expect(m.optionalInts('x.types', { length: 2 })).toEqual([1, 3])
    expect(m.strings('x.none')).toEqual([])
    expect(m.optionalInt('absent')).toBeUndefined()
    const a = file.tensors.get('a.weight')!
    expect([a.type, a.shape, a.bytes.length]).toEqual(['Q8_0', [2, 3, 64], 408])
    expect(await file.source.read(a.bytes.offset, 2)).toEqual(Uint8Array.of(7, 7))
    expect(a.bytes.offset % 32).toBe(0)
    expect(file.tensors.get('b.weight')?.bytes.offset).toBe(a.bytes.offset + 416)
  })

  it('the alignment may be another', async () => {
    const aligned = { 'general.alignment': ['u32', 256] } as const
    const { tensors } = await read(
      writeGguf({ metadata: aligned, alignment: 256, tensors: { a: floats(1), b: floats(1) } }),
    )
    expect([...tensors.values()].map(t => t.bytes.offset % 256)).toEqual([0, 0])
    expect(tensors.get('b')!.bytes.offset - tensors.get('a')!.bytes.offset).toBe(256)
  })

  it('only the header is read, and once', async () => {
    const big = { type: F32, ne: [1 << 20], bytes: new Uint8Array(4 << 20) }
    const tokens: GgufValue = ['array', 'string', Array.from({ length: 60_000 }, (_, i) => `token ${i} of many more`)]
    const bytes = writeGguf({ metadata: { tokens }, tensors: { big } })
    const source = new CountingSource(memorySource('m.gguf', bytes))
    const { metadata } = await readGgufHeader(source)
    expect(metadata.strings('tokens').at(-1)).toBe('token 59999 of many more')
    expect(source.bytesRead).toBe(source.end)
    expect(source.end).toBeLessThan(bytes.length - (3 << 20))
  })
})

it('texts that are no UTF-8 are read, and no two become one', async () => {
  const values = [
    [0xe9],
    [0xe9, 0x62],
    [0xff],
    [0xed, 0xa0, 0x80],
    [0xc3, 0xa9, 0xe4, 0xb8],
    [0xf0, 0x9f, 0x98, 0x80],
    [],
  ]
  const texts = values.map(bytes => textOfBytes(Uint8Array.from(bytes)))
  expect(new Set(texts).size).toBe(values.length)
  expect(texts.slice(5)).toEqual(['😀', ''])
  for (const [i, text] of texts.entries()) expect([...bytesOfText(`<${text}>😀`)].slice(1, -5)).toEqual(values[i])
  const file = concat([
    writeGguf({ counts: { keys: 1n }, alignment: 1 }),
    ...[string('k'), u32(VALUE.string), u64(3n), Uint8Array.of(0x61, 0xe9, 0x62), new Uint8Array(64)],
  ])
  expect((await read(file)).metadata.string('k')).toBe(textOfBytes(Uint8Array.of(0x61, 0xe9, 0x62)))
})

describe('files that are wrong', () => {
  it('another format, another version', async () => {
    await refuses(new Uint8Array(), 'is empty (0 bytes); download it again')
    await refuses(new Uint8Array(64), 'begins with zeros only')
    await refuses(new Uint8Array(10).fill(1), 'ends inside its first fields')
    await refuses(new Uint8Array(64).fill(1), 'begins with the bytes "01 01 01 01"')
    await refuses({ version: 1 }, 'GGUF version 1', 'expected 2 or 3')
    await refuses({ version: 0x03000000 }, 'big-endian')
  })

  it('cut short anywhere', async () => {
    const whole = writeGguf({
      metadata: { a: ['string', 'text'], b: ['array', 'u16', [1, 2, 3]] },
      tensors: { t: floats(3) },
    })
    for (let length = 0; length < whole.length; length++) await refuses(whole.slice(0, length))
  })

  it('counts beyond all reason', async () => {
    await refuses({ counts: { keys: 2n ** 40n } }, '1099511627776 keys')
    await refuses({ counts: { tensors: 2n ** 63n } }, '9223372036854775808', 'the number of tensors')
    await refuses({ counts: { tensors: 1000n }, alignment: 1 }, 'ends inside the name of tensor 0')
    await refuses({ counts: { keys: 1000n }, alignment: 1 }, 'ends inside the name of key 0')
  })

  const withKey = (...value: readonly Uint8Array[]) => {
    const file = writeGguf({ counts: { keys: 1n }, alignment: 1 })
    return concat([file, string('k'), ...value, new Uint8Array(64)])
  }

  it('values', async () => {
    await refuses(withKey(u32(13)), 'has type 13 for key "k"')
    await refuses(withKey(u32(VALUE.string), u64(2n ** 62n)), 'the length of key "k"', '4611686018427387904')
    await refuses(withKey(u32(VALUE.string), u64(10_000n)), 'ends inside key "k", which takes 10000 bytes')
    await refuses(withKey(u32(VALUE.bool), Uint8Array.of(2)), 'has 2 for key "k"', 'boolean')
    await refuses(withKey(u32(VALUE.array), u32(VALUE.array), u64(1n)), 'elements of type 9 in key "k"')
    await refuses(withKey(u32(VALUE.array), u32(VALUE.u8), u64(2n ** 30n)), '1073741824 elements in key "k"')
    await refuses(withKey(u32(VALUE.array), u32(VALUE.f64), u64(1000n)), 'ends inside key "k", which takes 8000 bytes')
    await refuses(withKey(u32(VALUE.array), u32(VALUE.string), u64(1_000_000n)), 'key "k"')
  })

  it('names', async () => {
    const twice = concat([string('k'), u32(VALUE.u8), Uint8Array.of(1)])
    const file = writeGguf({ counts: { keys: 2n }, alignment: 1 })
    await refuses(concat([file, twice, twice]), 'has key "k" twice')
    await refuses({ metadata: { ['k'.repeat(70_000)]: ['u8', 1] } }, '70000 bytes for the name of key 0')
    const info = concat([string('t'), u32(1), u64(1n), u32(F32), u64(0n)])
    const two = writeGguf({ counts: { tensors: 2n }, alignment: 1 })
    await refuses(
      concat([two, info, concat([string('t'), u32(1), u64(1n), u32(F32), u64(32n)]), new Uint8Array(99)]),
      'tensor "t" comes twice',
    )
  })

  it('shapes and types', async () => {
    const tensor = (ne: readonly number[], type = F32) => ({ tensors: { t: { type, ne, bytes: new Uint8Array(64) } } })
    await refuses(tensor([]), 'has 0 axes for tensor "t"')
    await refuses(tensor([1, 1, 1, 1, 1]), 'has 5 axes for tensor "t"')
    await refuses(tensor([0]), 'shape [0] for tensor "t"')
    await refuses(tensor([1], 4), 'type 4 for tensor "t"')
    await refuses(tensor([1], 12345), 'type 12345 for tensor "t"')
    await refuses(tensor([33], Q8_0), 'shape [33] for tensor "t"', 'multiples of 32')
    await refuses(tensor([2 ** 40, 2 ** 40, 2 ** 40]), 'more elements than any file can hold')
    await refuses(tensor([2 ** 53]), 'as a size of tensor "t"')
  })

  it('places', async () => {
    const at = (offset: number, n = 4) => ({ ...floats(n), offset })
    await refuses(
      { tensors: { t: { ...floats(4), bytes: new Uint8Array(8) } } },
      'tensor "t" takes bytes 0 to 16',
      'holds 8',
    )
    await refuses({ tensors: { t: at(8) } }, 'tensor "t" begins at byte 8', 'a multiple of 32')
    await refuses(
      { tensors: { a: at(0, 16), b: at(32) } },
      'tensor "b" begins at byte 32 of the data, inside tensor "a"',
    )
    const far = { ...floats(4), offset: 0 }
    const bytes = writeGguf({ tensors: { t: far } })
    new DataView(bytes.buffer).setBigUint64(24 + 9 + 4 + 8 + 4, 2n ** 52n, true)
    await refuses(bytes, 'tensor "t" takes bytes 4503599627370496')
  })

  it('alignments', async () => {
    for (const value of [0, 3, 2 ** 33]) {
      await refuses({ metadata: { 'general.alignment': ['u64', value] } }, 'general.alignment', String(value))
    }
    await refuses(
      { metadata: { 'general.alignment': ['string', '32'] } },
      '"general.alignment" is "32"; expected an integer',
    )
  })

  it('keys of another type than asked for', async () => {
    const { metadata: m } = await read(
      writeGguf({
        metadata: { s: ['string', 'x\ny'], f: ['f32', 0.5], l: ['array', 'u8', [1, 2]], n: ['f32', Number.NaN] },
      }),
    )
    const messages = [
      () => m.int('s'),
      () => m.int('f'),
      () => m.int('l'),
      () => m.number('n'),
      () => m.string('f'),
      () => m.strings('l'),
      () => m.optionalInts('l', { length: 3 }),
      () => m.optionalBool('f'),
      () => m.int('absent', { max: 9 }),
    ].map(ask => {
      expect(ask).toThrow(CheckpointError)
      try {
        return String(ask())
      } catch (error) {
        return (error as Error).message
      }
    })
    expect(messages).toEqual([
      'm.gguf: key "s" is "x\\ny"; expected an integer of at least 0',
      'm.gguf: key "f" is 0.5; expected an integer of at least 0',
      'm.gguf: key "l" is an array of 2; expected an integer of at least 0',
      'm.gguf: key "n" is NaN; expected a finite number',
      'm.gguf: key "f" is 0.5; expected a string',
      'm.gguf: key "l" is an array of 2; expected an array of strings',
      'm.gguf: key "l" is an array of 2; expected an array of length 3, each element an integer of at least 0',
      'm.gguf: key "f" is 0.5; expected a boolean',
      'm.gguf: key "absent" is missing; expected an integer from 0 to 9',
    ])
  })
})

describe('split sets', () => {
  const split = (no: number, count: number, tensors: number): Record<string, GgufValue> => ({
    'split.no': ['u16', no],
    'split.count': ['u16', count],
    'split.tensors.count': ['i32', tensors],
  })
  const part = (no: number, names: readonly string[], count = 2, tensors = 3) =>
    writeGguf({ metadata: split(no, count, tensors), tensors: Object.fromEntries(names.map(n => [n, floats(1)])) })
  const [A, B] = ['m-00001-of-00002.gguf', 'm-00002-of-00002.gguf'] as const
  const open = (files: Record<string, Uint8Array>, name: string = A) =>
    readGgufSet(
      filesFrom(
        'folder',
        Object.entries(files).map(([file, bytes]) => memorySource(file, bytes)),
      ),
      name,
    )

  it('the names of the parts', () => {
    expect(partNames('x/m.gguf')).toEqual(['x/m.gguf'])
    expect(partNames(B)).toEqual([A, B])
    expect(partNames('m-00001-of-00000.gguf')).toEqual(['m-00001-of-00000.gguf'])
  })

  it('any part opens the whole', async () => {
    const files = { [A]: part(0, ['a', 'b']), [B]: part(1, ['c']) }
    for (const name of [A, B]) {
      const { tensors } = await open(files, name)
      expect([...tensors].map(([n, t]) => [n, t.bytes.source.name])).toEqual([
        ['a', A],
        ['b', A],
        ['c', B],
      ])
    }
  })

  it('parts that are missing, others, or mixed up', async () => {
    const a = part(0, ['a', 'b'])
    const refused = (files: Record<string, Uint8Array>, text: string) => expect(open(files)).rejects.toThrow(text)
    await refused({ [A]: a }, `folder has no ${B}`)
    await refused({ [A]: a, [B]: part(0, ['c']) }, `${B}: key "split.no" is 0; expected 1`)
    await refused({ [A]: part(0, ['a'], 3), [B]: part(1, ['c']) }, `${A}: key "split.count" is 3; expected 2`)
    await refused({ [A]: a, [B]: writeGguf({ tensors: { c: floats(1) } }) }, `${B}: key "split.count" is missing`)
    await refused({ [A]: a, [B]: part(1, ['b']) }, `${B}: tensor "b" is in ${A} too`)
    await refused({ [A]: a, [B]: part(1, []) }, `${A}: key "split.tensors.count" is 3; expected 2`)
    await expect(open({ 'm.gguf': a }, 'm.gguf')).rejects.toThrow('m.gguf: key "split.count" is 2; expected 1')
  })
})
