import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { readFloats, readIntegers } from '../../src/checkpoint/read-tensor.ts'
import { readRows } from '../../src/checkpoint/recode/weight-rows.ts'
import { readSafetensorsHeader } from '../../src/checkpoint/safetensors/safetensors.ts'
import { filesFrom } from '../../src/checkpoint/source/checkpoint-files.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import type { TensorEntry } from '../../src/checkpoint/tensor-entry.ts'
import { CheckpointError, ConfigError, UnsupportedModelError } from '../../src/errors.ts'
import { openCheckpoint } from '../../src/model/open/open-checkpoint.ts'
import type { ByteRange } from '../../src/tensor/bytes.ts'
import { failure } from '../support/hub-setup.ts'
import { openFolder } from '../support/open-folder.ts'
import { type TensorToWrite, withHeader, writeSafetensors } from '../support/safetensors-writer.ts'
import { tempFolder } from '../support/temp-folder.ts'

type Files = Record<string, string | Uint8Array>

const text = new TextEncoder()
const open = (files: Files) =>
  openCheckpoint(
    filesFrom(
      'memory',
      Object.entries(files).map(([name, data]) =>
        memorySource(name, typeof data === 'string' ? text.encode(data) : data),
      ),
    ),
  )
const single = (tensors: Record<string, TensorToWrite>, config: unknown = {}) =>
  open({ 'config.json': JSON.stringify(config), 'model.safetensors': writeSafetensors(tensors) })

const shards = (map: Record<string, unknown>, files: Record<string, Record<string, TensorToWrite>>): Files => ({
  'config.json': '{}',
  'model.safetensors.index.json': JSON.stringify({ metadata: { total_size: 1 }, weight_map: map }),
  ...Object.fromEntries(Object.entries(files).map(([name, tensors]) => [name, writeSafetensors(tensors)])),
})
const u8: TensorToWrite = { dtype: 'U8', shape: [1] }
const A = 'model-00001-of-00002.safetensors'
const B = 'model-00002-of-00002.safetensors'

describe('weights', () => {
  it('come as the kernels want them', async () => {
    const c = await single({
      w: { dtype: 'BF16', shape: [3, 5] },
      t: { dtype: 'F16', shape: [5, 3] },
      n: { dtype: 'F32', shape: [5] },
      'q.weight': { dtype: 'F8_E4M3', shape: [130, 300] },
      'q.weight_scale_inv': { dtype: 'F32', shape: [2, 3] },
      extra: u8,
      'layers.9.x': u8,
    })
    expect(c.matrix('w', 3, 5)).toMatchObject({ name: 'w', dtype: 'bf16', rows: 3, cols: 5, bytes: { length: 30 } })
    expect(c.matrix('w', 3, 5)).not.toHaveProperty('transposed')
    expect(c.matrix('t', 3, 5, { transposed: true })).toMatchObject({
      dtype: 'f16',
      rows: 3,
      cols: 5,
      transposed: true,
    })
    expect(c.vector('n', 5)).toMatchObject({ dtype: 'f32', rows: 1, cols: 5, bytes: { length: 20 } })
    expect(c.matrix('q.weight', 130, 300)).toMatchObject({
      dtype: 'e4m3',
      scales: { blockRows: 128, blockCols: 128, bytes: { length: 24 } },
    })
    expect(c.has('extra')).toBe(true)
    expect(c.has('toString')).toBe(false)
    expect(c.unused()).toEqual(['extra', 'layers.9.x'])
    expect(c.unused([/^layers\.9\./])).toEqual(['extra'])
  })

  it('take the block size of FP8 from the config', async () => {
    const tensors: Record<string, TensorToWrite> = {
      'q.weight': { dtype: 'F8_E4M3', shape: [130, 300] },
      'q.weight_scale_inv': { dtype: 'F32', shape: [3, 2] },
    }
    const c = await single(tensors, { quantization_config: { quant_method: 'fp8', weight_block_size: [64, 256] } })
    expect(c.matrix('q.weight', 130, 300).scales).toMatchObject({ blockRows: 64, blockCols: 256 })
    const bad = await single(tensors, { quantization_config: { weight_block_size: [0, 256] } })
    expect(() => bad.matrix('q.weight', 130, 300)).toThrow(
      'config.json: "quantization_config.weight_block_size[0]" is 0; expected an integer from 1 to',
    )
  })

  it.each<[string, readonly number[], number, number]>([
    ['_scale_inv', [2, 3], 128, 128],
    ['_scale_inv', [], 130, 300],
    ['_scale_inv', [1], 130, 300],
    ['_scale', [1, 1], 130, 300],
    ['_scale', [130], 1, 300],
    ['_scale', [130, 1], 1, 300],
  ])('of FP8 have a factor per block, per row or for all: weight%s %j', async (suffix, shape, blockRows, blockCols) => {
    const c = await single({
      'q.weight': { dtype: 'F8_E4M3', shape: [130, 300] },
      [`q.weight${suffix}`]: { dtype: 'F32', shape },
    })
    expect(c.matrix('q.weight', 130, 300).scales).toMatchObject({ blockRows, blockCols })
    expect(c.unused()).toEqual([])
  })

  it('of FP8 have factors of several types, and the same numbers', async () => {
    const factors = [0.5, 2, 0.0078125, 1]
    const f32 = new Uint8Array(Float32Array.from(factors).buffer)
    const upper = Uint8Array.from({ length: 8 }, (_, i) => f32[4 * (i >> 1) + 2 + (i & 1)] as number)
    const stored: [TensorToWrite['dtype'], Uint8Array][] = [
      ['F32', f32],
      ['BF16', upper],
      ['F16', new Uint8Array(Uint16Array.of(0x3800, 0x4000, 0x2000, 0x3c00).buffer)],
      ['F8_E8M0', Uint8Array.of(126, 128, 120, 127)],
    ]
    for (const [dtype, bytes] of stored) {
      const c = await single({
        'q.weight': { dtype: 'F8_E4M3', shape: [130, 130], bytes: new Uint8Array(130 * 130).fill(0x38) },
        'q.weight_scale_inv': { dtype, shape: [2, 2], bytes },
      })
      const weight = c.matrix('q.weight', 130, 130)
      const scales = weight.scales?.bytes as ByteRange
      const read = await scales.source.read(scales.offset, scales.length)
      expect([...new Float32Array(new Uint8Array(read).buffer)]).toEqual(factors)
      const rows = await readRows(weight, 127, 2)
      expect([rows[0], rows[129], rows[130], rows[259]]).toEqual([0.5, 2, 0.0078125, 1])
    }
  })

  test.each<[string, Record<string, TensorToWrite>, string]>([
    ['missing', {}, 'memory: tensor "q.weight" [2, 4] is missing; 0 tensors are there'],
    [
      'another shape',
      { 'q.weight': { dtype: 'F32', shape: [4, 2] } },
      'model.safetensors: tensor "q.weight" has shape [4, 2]; expected [2, 4]',
    ],
    ['another rank', { 'q.weight': { dtype: 'F32', shape: [8] } }, 'has shape [8]; expected [2, 4]'],
    [
      'another type',
      { 'q.weight': { dtype: 'I64', shape: [2, 4] } },
      '"q.weight" is I64; expected F32, F16, BF16 or F8_E4M3',
    ],
    [
      'FP8 without factors',
      { 'q.weight': { dtype: 'F8_E4M3', shape: [2, 4] } },
      'is F8_E4M3, but neither "q.weight_scale_inv" nor "q.weight_scale" with its factors is in the checkpoint',
    ],
    [
      'FP8 with another grid',
      {
        'q.weight': { dtype: 'F8_E4M3', shape: [2, 4] },
        'q.weight_scale_inv': { dtype: 'F32', shape: [1, 2] },
      },
      'tensor "q.weight_scale_inv" has shape [1, 2]; expected [1, 1]',
    ],
    [
      'FP8 with factors of another type',
      {
        'q.weight': { dtype: 'F8_E4M3', shape: [2, 4] },
        'q.weight_scale_inv': { dtype: 'I32', shape: [1, 1] },
      },
      'tensor "q.weight_scale_inv" is I32; expected factors of F32, BF16, F16, F8_E8M0',
    ],
  ])('that are wrong are named: %s', async (_, tensors, message) => {
    const c = await single(tensors)
    expect(() => c.matrix('q.weight', 2, 4)).toThrow(CheckpointError)
    expect(() => c.matrix('q.weight', 2, 4)).toThrow(message)
  })

  it('that are wrong are named: vectors and transposed FP8', async () => {
    const c = await single({
      v: { dtype: 'F8_E4M3', shape: [4] },
      s: { dtype: 'F32', shape: [1, 4] },
      'q.weight': { dtype: 'F8_E4M3', shape: [2, 4] },
      'q.weight_scale_inv': { dtype: 'F32', shape: [1, 1] },
    })
    expect(() => c.vector('v', 4)).toThrow('tensor "v" is F8_E4M3; expected F32, F16 or BF16')
    expect(() => c.vector('s', 4)).toThrow('tensor "s" has shape [1, 4]; expected [4]')
    expect(() => c.matrix('q.weight', 4, 2, { transposed: true })).toThrow('stored [inputs, outputs]')
  })

  it('of a foreign quantisation are refused by its name', async () => {
    const c = await single({ 'q.qweight': u8 }, { quantization_config: { quant_method: 'gptq' } })
    expect(() => c.matrix('q.weight', 2, 4)).toThrow(UnsupportedModelError)
    expect(() => c.matrix('q.weight', 2, 4)).toThrow('memory is quantised with "gptq"')
  })
})

describe('files', () => {
  it('carry what the model needs beside weights', async () => {
    const c = await open({
      'config.json': '\ufeff{"model_type":"llama","n":1}',
      'generation_config.json': '{"temperature":0.5}',
      'tokenizer.json': '{"model":{}}',
      'tokenizer_config.json': '{"chat_template":"x"}',
      'chat_template.jinja': '{{ messages }}',
      'model.safetensors': writeSafetensors({ a: u8 }),
    })
    expect(c.config).toEqual({ model_type: 'llama', n: 1 })
    expect(c.configReader.string('model_type')).toBe('llama')
    expect(c.generationConfig).toEqual({ temperature: 0.5 })
    expect(c.tokenizer).toEqual({ model: {} })
    expect(c.tokenizerConfig).toEqual({ chat_template: 'x' })
    expect(c.chatTemplate).toBe('{{ messages }}')
    expect(c.warnings).toEqual([])
  })

  it('may have the template in the older place, or nothing but weights and config', async () => {
    const weights = writeSafetensors({ a: u8 })
    const old = await open({
      'config.json': '{}',
      'chat_template.json': '{"chat_template":"{{ x }}"}',
      'model.safetensors': weights,
    })
    expect(old.chatTemplate).toBe('{{ x }}')
    const bare = await open({ 'config.json': '{}', 'model.safetensors': weights })
    expect(bare.tokenizer).toBeUndefined()
    expect(bare.generationConfig).toBeUndefined()
  })

  it('in a folder are named by path; tokenizer files can be left alone', async () => {
    const folder = tempFolder({
      'config.json': '{"n": "x"}',
      'tokenizer.json': 'not json',
      'model.safetensors': writeSafetensors({ a: u8 }),
    })
    await expect(openFolder(folder)).rejects.toThrow(`${join(folder, 'tokenizer.json')} is not JSON`)
    const c = await openFolder(folder, { tokenizer: false })
    expect(c.tensors.get('a')?.bytes.source.path).toBe(join(folder, 'model.safetensors'))
    expect(() => c.configReader.int('n')).toThrow(`${join(folder, 'config.json')}: "n" is "x"`)
    await expect(openFolder(join(folder, 'none'))).rejects.toThrow(CheckpointError)
  })

  test.each<[string, Files, new (m: string) => Error, string]>([
    ['no config', { 'model.safetensors': withHeader('{}') }, CheckpointError, 'memory has no config.json'],
    ['empty config', { 'config.json': '' }, ConfigError, 'config.json is empty (0 bytes)'],
    ['blank config', { 'config.json': ' ' }, ConfigError, 'config.json is not JSON'],
    ['config is a list', { 'config.json': '[]' }, ConfigError, 'config.json holds a list; expected a JSON object'],
    ['config is null', { 'config.json': 'null' }, ConfigError, 'config.json holds null'],
    ['config with nan', { 'config.json': '{"a":nan}' }, ConfigError, 'config.json is not JSON: '],
    ['config with NaNs', { 'config.json': '{"a":NaNs}' }, ConfigError, 'config.json is not JSON: '],
    ['config with a key NaN', { 'config.json': '{NaN:1}' }, ConfigError, 'config.json is not JSON: '],
    ['config of bytes', { 'config.json': new Uint8Array([0xff, 0xff]) }, ConfigError, 'config.json is not UTF-8'],
    ['config in UTF-16', { 'config.json': new Uint8Array([0xff, 0xfe]) }, ConfigError, 'is text in UTF-16'],
    ['huge config', { 'config.json': new Uint8Array(9 << 20) }, ConfigError, 'expected at most 8388608'],
    ['deep config', { 'config.json': '{"a":'.repeat(1e6) }, ConfigError, 'config.json nests more than 100 levels'],
    ['deep list', { 'config.json': `{"a":${'['.repeat(1e6)}` }, ConfigError, 'nests more than 100 levels'],
    ['brackets in strings', { 'config.json': `{"a":"\\"${'['.repeat(200)}"` }, ConfigError, 'config.json is not JSON'],
    [
      'no weights',
      { 'config.json': '{}' },
      CheckpointError,
      'memory has no weights at all; expected model.safetensors',
    ],
    [
      'other weights',
      { 'config.json': '{}', 'pytorch_model.bin': '' },
      UnsupportedModelError,
      'memory has "pytorch_model.bin"; expected model.safetensors or model.safetensors.index.json',
    ],
    ['index without map', shardsWith('{}'), CheckpointError, '"weight_map" is not an object'],
    ['index of a list', shardsWith('{"weight_map":["a"]}'), CheckpointError, '"weight_map" is not an object'],
    ['empty index', shardsWith('{"weight_map":{}}'), CheckpointError, '"weight_map" is empty'],
    ['damaged index', shardsWith('{"weight_map":'), CheckpointError, 'model.safetensors.index.json is not JSON'],
    [
      'missing shard',
      shards({ a: A, b: B }, {}),
      CheckpointError,
      `memory has no ${A}, which model.safetensors.index.json names, nor any other of its shards; download it again`,
    ],
    [
      'damaged shard',
      { ...shards({ a: A, b: B }, { [A]: { a: u8 } }), [B]: new Uint8Array(3) },
      CheckpointError,
      `${B} begins with zeros only`,
    ],
  ])('that are wrong are named: %s', async (_, files, type, message) => {
    const error = await failure(open(files))
    expect(error).toBeInstanceOf(type)
    expect(error.message).toContain(message)
    expect(error.message).not.toContain('\n')
  })

  it('may name tensors and shards that nobody needs; one that is needed is missing by name', async () => {
    const C = 'model-00003-of-00003.safetensors'
    const c = await open(shards({ a: A, b: A, 'mtp.fc': B, 'mtp.x': C }, { [A]: { a: u8 }, [B]: { other: u8 } }))
    expect(c.warnings[0]).toBe(
      `memory: model.safetensors.index.json names what no file here has (without "${C}"): tensors "b", "mtp.fc", "mtp.x"`,
    )
    expect(() => c.vector('mtp.x', 1)).toThrow(
      `memory: tensor "mtp.x", which the index places in "${C}", is not there; download "${C}" again`,
    )
    expect(() => c.vector('b', 1)).toThrow(CheckpointError)
    expect(() => c.vector('c', 1)).toThrow('tensor "c" [1] is missing; 1 tensors are there')
  })

  it('may lack the index, or be one file of another name', async () => {
    const set = await open({ 'config.json': '{}', [A]: writeSafetensors({ a: u8 }), [B]: writeSafetensors({ b: u8 }) })
    expect([...set.tensors.keys()]).toEqual(['a', 'b'])
    expect(set.warnings).toEqual(['memory has no model.safetensors.index.json; its shards are taken as named'])
    const one = await open({ 'config.json': '{}', 'weights.safetensors': writeSafetensors({ a: u8 }) })
    expect([...one.tensors.keys()]).toEqual(['a'])
    expect(one.warnings).toEqual(['memory has no model.safetensors; "weights.safetensors" is taken for it'])
    const other = open({ 'config.json': '{}', 'expected.safetensors': writeSafetensors({ a: u8 }) })
    await expect(other).rejects.toThrow('memory has no weights at all; expected model.safetensors or')
    const half = open({ 'config.json': '{}', [B]: writeSafetensors({ b: u8 }) })
    await expect(half).rejects.toThrow(`memory has no ${A}, one of 2 shards; download it`)
    const twice = open({ 'config.json': '{}', [A]: writeSafetensors({ a: u8 }), [B]: writeSafetensors({ a: u8 }) })
    await expect(twice).rejects.toThrow(`${B}: tensor "a" is in ${A} too`)
    const two = open({ 'config.json': '{}', 'a.weights.safetensors': '', 'model-b.safetensors': '' })
    await expect(two).rejects.toThrow(
      'but "a.weights.safetensors", "model-b.safetensors"; give the path of one of them',
    )
  })

  it("may hold Python's numbers in JSON: whoever asks for one is told", async () => {
    const config =
      '{"a":NaN,"b":[Infinity,-Infinity, 1.5],"c":{"NaN":"NaN \\"Infinity\\" NaN"},"d":1,"e":"\\\\","f":-Infinity}'
    const c = await open({
      'config.json': config,
      'tokenizer_config.json': '{"model_max_length":Infinity}',
      'model.safetensors': writeSafetensors({ a: u8 }),
    })
    const numbers = { a: Number.NaN, b: [Infinity, -Infinity, 1.5], d: 1, e: '\\', f: -Infinity }
    expect(c.config).toEqual({ ...numbers, c: { NaN: 'NaN "Infinity" NaN' } })
    expect(c.tokenizerConfig).toEqual({ model_max_length: Infinity })
    expect(() => c.configReader.number('a')).toThrow('config.json: "a" is NaN; expected a finite number')
    expect(() => c.configReader.numbers('b')).toThrow('config.json: "b[0]" is Infinity; expected a finite number')
    expect(() => c.configReader.int('f')).toThrow('config.json: "f" is -Infinity; expected an integer')
  })

  it("damaged JSON with Python's numbers takes time in proportion to its length", async () => {
    const start = process.cpuUsage().user
    for (const text of [`{"a":NaN,"${'\\"'.repeat(2e6)}`, `{"a":${'NaN,'.repeat(1e6)}`, `{"a":NaN${' '.repeat(4e6)}`]) {
      await expect(open({ 'config.json': text })).rejects.toThrow('config.json is not JSON')
    }
    expect(process.cpuUsage().user - start).toBeLessThan(5e6)
  })

  test.each(['', 'not json', '[]', 'null', '3', '{"a":', '\u0000'.repeat(9)])(
    'need no generation_config.json: %j costs its defaults',
    async text => {
      const c = await open({
        'config.json': '{}',
        'generation_config.json': text,
        'model.safetensors': writeSafetensors({ a: u8 }),
      })
      expect(c.generationConfig).toBeUndefined()
      expect(c.warnings).toHaveLength(1)
      expect(c.warnings[0]).toMatch(/^generation_config.json .* The defaults are used$/s)
    },
  )

  test.each([-1, [-1], [2, null], 'x', {}, 1.5, 2 ** 40])('may name %j as the end of a text', async eos => {
    const weights = { 'model.safetensors': writeSafetensors({ a: u8 }) }
    const json = JSON.stringify({ eos_token_id: eos, pad_token_id: -1, bos_token_id: null })
    const c = await open({ 'config.json': json, 'generation_config.json': json, ...weights })
    expect(c.warnings).toHaveLength(2)
    expect(c.warnings[0]).toMatch(/^config.json: "eos_token_id" has .*, which is no token id; it counts as not given$/)
    expect(c.warnings[1]).toContain('generation_config.json: "eos_token_id"')
  })

  test.each([
    '../secret.safetensors',
    '/etc/passwd.safetensors',
    'a/b.safetensors',
    'a\\b.safetensors',
    'C:x.safetensors',
    '..',
    '.hidden.safetensors',
    'x.bin',
    '',
    'a\u0000.safetensors',
    `${'x'.repeat(300)}.safetensors`,
    5,
    null,
    { toString: 'x' },
  ])('an index may name files beside it only: %j', async name => {
    const error = await failure(open(shards({ a: name }, {})))
    expect(error).toBeInstanceOf(CheckpointError)
    expect(error.message).toContain('model.safetensors.index.json: tensor "a" is said to be in')
  })

  it('in shards are put together; what the index does not name is reported', async () => {
    const files = shards({}, { [A]: { a: u8, b: u8 }, [B]: { b: u8, c: u8 } })
    const stray = 'model-00003-of-00003.safetensors'
    files[B] = writeSafetensors(
      new Map([
        ['b', u8],
        ['__proto__', u8],
        ['c', u8],
      ]),
    )
    const index = `{"weight_map":{"a":"${A}","b":"${B}","__proto__":"${B}"}}`
    const c = await open({ ...files, 'model.safetensors.index.json': index, [stray]: 'anything' })
    expect([...c.tensors.keys()].sort()).toEqual(['__proto__', 'a', 'b'])
    expect(c.tensors.get('b')?.bytes.source.name).toBe(B)
    expect(c.warnings).toEqual([
      'memory: model.safetensors.index.json does not name 2 tensors of its shards, such as "b", "c"',
      `memory: model.safetensors.index.json does not name ${stray}; left out`,
    ])
  })
})

describe('the bundled model', () => {
  const folder = join(import.meta.dirname, '../../models/tales-mla-8m')

  it('opens, and its expected numbers can be read', async () => {
    const c = await openFolder(folder)
    const config = c.configReader
    const embedding = c.matrix('model.embed_tokens.weight', config.int('vocab_size'), config.int('hidden_size'))
    expect(embedding.dtype).toBe('bf16')
    expect(c.tokenizer).toBeDefined()
    const { openFile } = await import('../../src/checkpoint/source/file-source.ts')
    const { tensors } = await readSafetensorsHeader(await openFile(join(folder, 'expected.safetensors')))
    const logits = tensors.get('0.logits') as TensorEntry
    const ids = await readIntegers(tensors.get('0.input_ids') as TensorEntry)
    const greedy = await readIntegers(tensors.get('0.greedy') as TensorEntry)
    const values = await readFloats(logits)
    expect(values.length).toBe(ids.length * config.int('vocab_size'))
    const last = values.subarray(values.length - config.int('vocab_size'))
    expect(last.indexOf(Math.max(...last))).toBe(greedy[0])
  })
})

const fixtures = join(import.meta.dirname, '../../../shared/fixtures/checkpoints')
describe.skipIf(!existsSync(fixtures))('the shared checkpoints', () => {
  it('all open', async () => {
    const folders = readdirSync(fixtures, { withFileTypes: true }).filter(entry => entry.isDirectory())
    expect(folders.length).toBeGreaterThan(15)
    for (const { name } of folders) {
      const c = await openFolder(join(fixtures, name))
      expect(c.warnings).toEqual([])
      expect(c.tensors.size).toBeGreaterThan(20)
    }
  })

  it('give FP8 weights with their factors', async () => {
    const c = await openFolder(join(fixtures, 'deepseek-v3-fp8'))
    const down = c.matrix('model.layers.0.mlp.down_proj.weight', 192, 320)
    expect(down).toMatchObject({ dtype: 'e4m3', scales: { blockRows: 128, blockCols: 128, bytes: { length: 24 } } })
  })
})

function shardsWith(index: string): Files {
  return { 'config.json': '{}', 'model.safetensors.index.json': index }
}
