import { ConfigReader } from '../../src/checkpoint/config-reader.ts'
import { readJson } from '../../src/checkpoint/json-file.ts'
import { readFloats, readIntegers } from '../../src/checkpoint/read-tensor.ts'
import { readSafetensorsHeader } from '../../src/checkpoint/safetensors/safetensors.ts'
import { readShardIndex } from '../../src/checkpoint/safetensors/shard-index.ts'
import { filesFrom } from '../../src/checkpoint/source/checkpoint-files.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import type { TensorEntry } from '../../src/checkpoint/tensor-entry.ts'
import { ConfigError, LatentkitError } from '../../src/errors.ts'
import { parseConfig } from '../../src/families/index.ts'
import { openCheckpoint } from '../../src/model/open/open-checkpoint.ts'
import { CountingSource } from '../support/counting-source.ts'
import type { Rng } from '../support/rng.ts'
import { concat, withHeader, writeSafetensors } from '../support/safetensors-writer.ts'
import type { FuzzTarget } from './fuzzer.ts'
import { GGUF_TARGETS } from './gguf-targets.ts'
import { mutate, pick } from './mutate.ts'
import { mutateJson } from './mutate-json.ts'
import { SESSION_TARGET } from './session-target.ts'
import { TEMPLATE_TARGET } from './template-target.ts'
import { TOKENIZER_TARGET } from './tokenizer-target.ts'

const encode = (text: string) => new TextEncoder().encode(text)

/** A promise broken by the reader, as against an error that it reports. */
class Broken extends Error {}

function promise(kept: boolean, what: string): void {
  if (!kept) throw new Broken(what)
}

const small = writeSafetensors({
  'model.norm.weight': { dtype: 'F32', shape: [4] },
  'model.layers.0.weight': { dtype: 'BF16', shape: [3, 2] },
  ids: { dtype: 'I64', shape: [2] },
})

const safetensors: FuzzTarget = {
  name: 'safetensors',
  seeds: [
    withHeader('{}'),
    small,
    writeSafetensors(
      {
        w: { dtype: 'F8_E4M3', shape: [2, 3, 1] },
        none: { dtype: 'F32', shape: [0, 5] },
        x: { dtype: 'F4', shape: [2] },
      },
      { format: 'pt', 'ä"\\': '\u0000' },
    ),
  ],
  mutate: mutateSafetensors,
  async run(input) {
    const source = new CountingSource(memorySource('fuzzed', input))
    try {
      const { tensors } = await readSafetensorsHeader(source)
      promise(tensors.size * 40 <= input.length, 'more tensors than the header has room for')
      let end = source.end
      for (const entry of tensors.values()) {
        promise(entry.bytes.offset === end, `${entry.name} is at ${entry.bytes.offset}, not ${end}`)
        end += entry.bytes.length
        await readNumbers(entry)
      }
      promise(end === input.length, 'tensors do not end where the file ends')
    } catch (error) {
      if (error instanceof LatentkitError) promise(error.message.startsWith('fuzzed'), `unnamed file: ${error.message}`)
      throw error
    }
  },
}

/** Any type may be refused; what is read has the length of the shape. */
async function readNumbers(entry: TensorEntry): Promise<void> {
  const elements = entry.shape.reduce((n, d) => n * d, 1)
  for (const read of [readFloats, readIntegers]) {
    const numbers = await read(entry).catch((error: unknown) => {
      if (!(error instanceof LatentkitError)) throw error
    })
    promise(numbers === undefined || numbers.length === elements, `${entry.name} gave ${numbers?.length} numbers`)
  }
}

/** Half of the inputs keep a length that fits the header, and data that fits the offsets: those get past the door. */
function mutateSafetensors(rng: Rng, pool: readonly Uint8Array[]): Uint8Array {
  if (rng.uniform() < 0.3) return mutate(rng, pool)
  const [header] = split(pick(rng, pool))
  const others = pool.slice(0, 50).map(bytes => split(bytes)[0])
  const changed = Buffer.from(mutateText(rng, [header, header, ...others]))
  const ends = [...changed.toString('latin1').matchAll(/,\s*(\d{1,5})\s*\]/g)].map(match => Number(match[1]))
  const fitting = Math.min(1 << 16, Math.max(0, ...ends))
  return withHeader(changed, new Uint8Array(rng.uniform() < 0.8 ? fitting : rng.below(64)))
}

function mutateText(rng: Rng, pool: readonly Uint8Array[]): Uint8Array {
  return rng.uniform() < 0.5 ? mutate(rng, pool) : mutateJson(rng, pool)
}

/** Header and data of a safetensors file, if it is one. */
function split(file: Uint8Array): [Uint8Array, Uint8Array] {
  const length = file.length < 8 ? 0n : new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)
  const end = 8 + Number(length < file.length ? length : 0n)
  return [file.subarray(Math.min(8, file.length), end), file.subarray(end)]
}

const A = 'model-00001-of-00002.safetensors'
const B = 'model-00002-of-00002.safetensors'
const weightMap = { 'model.norm.weight': A, 'model.layers.0.weight': A, ids: A, w: B }

const index: FuzzTarget = {
  name: 'index',
  seeds: [encode(JSON.stringify({ metadata: { total_size: 44 }, weight_map: weightMap }, undefined, 1))],
  mutate: mutateText,
  async run(input) {
    const { shards, weightMap: map } = await readShardIndex(memorySource('fuzzed', input))
    promise(shards.length > 0 && shards.length <= map.size, 'shards without tensors')
    for (const shard of shards) promise(!/[/\\:]|^\.|\.\.$/.test(shard), `shard ${shard} leads elsewhere`)
  },
}

/** A whole checkpoint of which one file is bad: the first byte of the input says which. */
const checkpoint: FuzzTarget = {
  name: 'checkpoint',
  seeds: [
    concat([Uint8Array.of(0), encode(JSON.stringify({ weight_map: weightMap }))]),
    concat([Uint8Array.of(1), small]),
    concat([Uint8Array.of(2), encode('{"quantization_config":{"quant_method":"fp8","weight_block_size":[2,2]}}')]),
    concat([Uint8Array.of(3), encode('{"chat_template":"{{ x }}"}')]),
  ],
  mutate(rng, pool) {
    const seed = pick(rng, pool)
    const which = seed.subarray(0, 1)
    if (which[0] === 1) return concat([which, mutateSafetensors(rng, [seed.subarray(1)])])
    return concat([which, mutateText(rng, [seed.subarray(1), ...pool.slice(0, 4).map(other => other.subarray(1))])])
  },
  async run(input) {
    const files = new Map<string, Uint8Array>([
      ['model.safetensors.index.json', encode(JSON.stringify({ weight_map: weightMap }))],
      [A, small],
      ['config.json', encode('{}')],
      ['chat_template.json', encode('{}')],
    ])
    files.set([...files.keys()][(input[0] ?? 0) % 4] as string, input.subarray(1))
    files.set(B, writeSafetensors({ w: { dtype: 'F8_E4M3', shape: [3, 4] } }))
    const sources = [...files].map(([name, bytes]) => memorySource(name, bytes))
    const opened = await openCheckpoint(filesFrom('fuzzed', sources))
    promise(
      [...opened.tensors.values()].every(t => t.bytes.source.name.startsWith('model-')),
      'a tensor from elsewhere',
    )
    for (const [name, { shape }] of opened.tensors) {
      const [rows = 1, cols = 1] = shape
      for (const ask of [() => opened.matrix(name, rows, cols), () => opened.vector(name, rows)]) allowRefusal(ask)
    }
    promise(opened.unused().length === 0, 'a tensor was asked for and counts as unused')
  },
}

const config: FuzzTarget = {
  name: 'config',
  // The corpus has one configuration of every family.
  seeds: [encode('{"model_type":"llama"}')],
  mutate: mutateText,
  async run(input) {
    const reader = new ConfigReader(await readJson(memorySource('fuzzed', input), 1 << 20, ConfigError), 'fuzzed')
    readSome(reader)
    const parsed = parseConfig(reader)
    promise(parsed.layers.length <= 10_000, `${parsed.layers.length} layers`)
  },
}

/** Every question about some keys: an answer of the right type, or an error of the reader. */
function readSome(reader: ConfigReader): void {
  const keys = reader.keys()
  for (let i = keys.length % 5; i < Math.min(keys.length, 100); i += 5) {
    const key = keys[i] as string
    allowRefusal(() => promise(Number.isSafeInteger(reader.int(key)), `${key}: no integer`))
    allowRefusal(() => promise(Number.isFinite(reader.number(key)), `${key}: no number`))
    allowRefusal(() => promise(typeof reader.bool(key) === 'boolean', `${key}: no boolean`))
    allowRefusal(() => promise(typeof reader.string(key) === 'string', `${key}: no string`))
    allowRefusal(() => promise(reader.ints(key).every(Number.isSafeInteger), `${key}: no integers`))
    allowRefusal(() => promise(reader.numbers(key).every(Number.isFinite), `${key}: no numbers`))
    allowRefusal(() =>
      promise(
        reader.strings(key).every(s => typeof s === 'string'),
        `${key}: no strings`,
      ),
    )
    allowRefusal(() => void reader.object(key).keys())
  }
}

function allowRefusal(ask: () => unknown): void {
  try {
    ask()
  } catch (error) {
    if (!(error instanceof LatentkitError)) throw error
  }
}

/** With the share of all runs that each gets. */
export const TARGETS: readonly (readonly [FuzzTarget, number])[] = [
  [safetensors, 0.5],
  [index, 0.1],
  [checkpoint, 0.15],
  [config, 0.25],
  ...GGUF_TARGETS,
  [SESSION_TARGET, 0.1],
  [TOKENIZER_TARGET, 0.02],
  [TEMPLATE_TARGET, 0.02],
]
