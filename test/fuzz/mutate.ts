import type { Rng } from '../support/rng.ts'

const MAX_LENGTH = 1 << 16

/** Texts that parsers of JSON, of sizes and of names have been known to stumble over. */
const TOKENS = [
  ...[
    '0',
    '-0',
    '-1',
    '1',
    '2',
    '7',
    '8',
    '64',
    '127',
    '255',
    '256',
    '65536',
    '2147483647',
    '2147483648',
    '4294967296',
  ],
  ...[
    '9007199254740991',
    '9007199254740992',
    '18446744073709551615',
    '1e308',
    '1e309',
    '-1e309',
    '1e-400',
    '0.5',
    '3.0',
  ],
  ...[
    'NaN',
    'Infinity',
    'null',
    'true',
    'false',
    '""',
    '"x"',
    '[]',
    '{}',
    '[[[[',
    '}}}}',
    '[0]',
    '{"a":1}',
    '"\\ud800"',
  ],
  ...['"__proto__"', '"constructor"', '"__metadata__"', '"dtype"', '"shape"', '"data_offsets"', '"F4"', '"F8_E4M3"'],
  ...[
    '"../x.safetensors"',
    '"weight_map"',
    '"deepseek_v3"',
    '"llama"',
    '\\',
    '\\u0000',
    '\u0000',
    '\ufeff',
    ',',
    ':',
    '"',
  ],
].map(token => Buffer.from(token))

type Mutation = (bytes: Buffer, rng: Rng, pool: readonly Uint8Array[]) => Buffer

/** One of the pool, changed one to eight times. */
export function mutate(rng: Rng, pool: readonly Uint8Array[]): Buffer {
  let bytes: Buffer = Buffer.from(pick(rng, pool))
  do {
    bytes = pick(rng, MUTATIONS)(bytes, rng, pool)
  } while (rng.uniform() < 0.5)
  return bytes.subarray(0, MAX_LENGTH)
}

export function pick<T>(rng: Rng, from: readonly T[]): T {
  return from[rng.below(from.length)] as T
}

const flipBit: Mutation = (bytes, rng) => {
  const at = rng.below(bytes.length)
  if (bytes.length > 0) bytes[at] = (bytes[at] as number) ^ (1 << rng.below(8))
  return bytes
}

const setByte: Mutation = (bytes, rng) => {
  if (bytes.length > 0)
    bytes[rng.below(bytes.length)] = pick(rng, [0, 0x20, 0x22, 0x5c, 0x7f, 0x80, 0xff, rng.below(256)])
  return bytes
}

const cut: Mutation = (bytes, rng) => bytes.subarray(0, rng.below(bytes.length + 1))

const remove: Mutation = (bytes, rng) => {
  const [start, end] = range(bytes, rng)
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)])
}

const insertToken: Mutation = (bytes, rng) => insert(bytes, rng.below(bytes.length + 1), pick(rng, TOKENS))

const repeat: Mutation = (bytes, rng) => {
  const [start, end] = range(bytes, rng)
  const times = Math.min(pick(rng, [1, 2, 16, 300]), Math.floor(MAX_LENGTH / (end - start + 1)))
  return insert(bytes, end, ...Array<Buffer>(times).fill(bytes.subarray(start, end)))
}

const splice: Mutation = (bytes, rng, pool) => {
  const other = Buffer.from(pick(rng, pool))
  const [start, end] = range(other, rng)
  return insert(bytes, rng.below(bytes.length + 1), other.subarray(start, end))
}

const swap: Mutation = (bytes, rng) => {
  const [start, end] = range(bytes, rng)
  const to = end + rng.below(bytes.length - end + 1)
  const parts = [bytes.subarray(0, start), bytes.subarray(end, to), bytes.subarray(start, end), bytes.subarray(to)]
  return Buffer.concat(parts)
}

/** Puts another token where a number, string, word or bracket of the JSON is. */
const replaceToken: Mutation = (bytes, rng) => {
  const [start, end] = token(bytes, rng)
  return Buffer.concat([bytes.subarray(0, start), pick(rng, TOKENS), bytes.subarray(end)])
}

/** Moves a number a little, for limits that are off by one. */
const nudgeNumber: Mutation = (bytes, rng) => {
  const numbers = [...bytes.toString('latin1').matchAll(/\d+/g)]
  if (numbers.length === 0) return bytes
  const found = pick(rng, numbers)
  const value = BigInt(found[0].slice(0, 40)) + BigInt(pick(rng, [-8, -1, 1, 8]))
  const rest = bytes.subarray(found.index + found[0].length)
  return Buffer.concat([bytes.subarray(0, found.index), Buffer.from(String(value)), rest])
}

const MUTATIONS = [
  ...[flipBit, setByte, cut, remove, insertToken, repeat, splice, swap],
  ...[replaceToken, replaceToken, replaceToken, nudgeNumber, nudgeNumber],
]

function token(bytes: Buffer, rng: Rng): [number, number] {
  const all = [...bytes.toString('latin1').matchAll(/"(?:[^"\\]|\\.){0,200}"|-?\d[\d.eE+-]*|[a-zA-Z]+|[[\]{}:,]/g)]
  if (all.length === 0) return range(bytes, rng)
  const found = pick(rng, all)
  return [found.index, found.index + found[0].length]
}

/** Short ranges more often than long ones. */
function range(bytes: Uint8Array, rng: Rng): [number, number] {
  const start = rng.below(bytes.length + 1)
  const longest = rng.uniform() < 0.7 ? 16 : bytes.length
  return [start, Math.min(bytes.length, start + rng.below(longest + 1))]
}

function insert(bytes: Buffer, at: number, ...what: Buffer[]): Buffer {
  return Buffer.concat([bytes.subarray(0, at), ...what, bytes.subarray(at)])
}
