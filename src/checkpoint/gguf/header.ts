/**
 * The header of a GGUF file, versions 2 and 3: magic, version, counts, key-value pairs, tensor descriptions; then the
 * tensors' bytes, each at a multiple of the alignment. Our own reader, because the one on npm (@huggingface/gguf)
 * takes a path or URL instead of a source of bytes, and hands out tensors whose places, sizes and names it has not
 * held against the file: they may lie beyond its end, overlap or come twice.
 */
import { CheckpointError } from '../../errors.ts'
import type { ByteRange, ByteSource } from '../../tensor/bytes.ts'
import { quote } from '../quote.ts'
import { describeContent, fileKind } from '../source/file-kind.ts'
import { HeaderCursor, naming } from './cursor.ts'
import { type GgmlType, ggmlFormat, ggmlTypeOf } from './ggml-types.ts'
import { Metadata } from './metadata.ts'
import { type MetadataValue, readString, readValue } from './metadata-values.ts'

export interface GgufTensor {
  readonly name: string
  readonly type: GgmlType
  /** Outermost axis first, the last axis contiguous: the reverse of the file's order. */
  readonly shape: readonly number[]
  readonly bytes: ByteRange
}

export interface GgufFile {
  readonly source: ByteSource
  readonly version: number
  readonly metadata: Metadata
  /** In the order of the header. */
  readonly tensors: ReadonlyMap<string, GgufTensor>
}

const MAGIC = 0x46554747 // "GGUF"
/** Magic, version and counts, in bytes. */
const FIRST_FIELDS = 24
const MAX_KEYS = 100_000
/** Far above any model: experts lie in one tensor per layer. */
const MAX_TENSORS = 1_000_000
const MAX_NAME_BYTES = 65_535
/** ggml's own limit. */
const MAX_RANK = 4
const DEFAULT_ALIGNMENT = 32

interface Declared {
  readonly name: string
  readonly type: GgmlType
  readonly shape: readonly number[]
  readonly offset: number
  readonly length: number
}

/** Reads and checks the header; no tensor's bytes are read. Throws CheckpointError naming the file and the place. */
export async function readGgufHeader(source: ByteSource): Promise<GgufFile> {
  const cursor = new HeaderCursor(source)
  const { version, tensorCount, keyCount } = await readStart(source, cursor)
  const metadata = new Metadata(await readPairs(cursor, keyCount), source.path ?? source.name)
  const declared: Declared[] = []
  for (let i = 0; i < tensorCount; i++) declared.push(await readTensor(cursor, i))
  const alignment = readAlignment(metadata)
  const dataStart = Math.ceil(cursor.position / alignment) * alignment
  checkPlaces(source, declared, dataStart, alignment)
  const tensors = new Map<string, GgufTensor>()
  for (const { name, type, shape, offset, length } of declared) {
    if (tensors.has(name)) throw tensorError(source, name, 'comes twice')
    tensors.set(name, { name, type, shape, bytes: { source, offset: dataStart + offset, length } })
  }
  return { source, version, metadata, tensors }
}

/**
 * The value of a key among the first `most`, without reading on to the vocabulary; undefined if it is not there. Throws
 * CheckpointError.
 */
export async function earlyValue(source: ByteSource, key: string, most: number): Promise<MetadataValue | undefined> {
  const cursor = new HeaderCursor(source)
  const { keyCount } = await readStart(source, cursor)
  for (let i = 0; i < Math.min(keyCount, most); i++) {
    const found = await readKey(cursor, i)
    const value = await readValueOf(cursor, found)
    if (found === key) return value
  }
  return undefined
}

async function readStart(source: ByteSource, cursor: HeaderCursor) {
  if (source.size < FIRST_FIELDS) {
    const other = (await fileKind(source)) === 'gguf' ? undefined : await describeContent(source)
    if (other !== undefined) throw cursor.error(other)
  }
  await cursor.need(FIRST_FIELDS, 'its first fields')
  const magic = cursor.u32()
  if (magic !== MAGIC) {
    const other = await describeContent(source)
    if (other !== undefined) throw cursor.error(other)
    throw cursor.error(`begins with the bytes "${hex(magic)}"; expected those of "GGUF". Is it a GGUF file?`)
  }
  const version = cursor.u32()
  if (version !== 2 && version !== 3) {
    const order = version > 0xffff ? ' (a big-endian file?)' : ''
    throw cursor.error(`is GGUF version ${version}${order}; expected 2 or 3, little-endian. Convert it again`)
  }
  const tensorCount = cursor.size('the number of tensors')
  const keyCount = cursor.size('the number of keys')
  if (tensorCount > MAX_TENSORS) throw cursor.error(`declares ${tensorCount} tensors; the limit is ${MAX_TENSORS}`)
  if (keyCount > MAX_KEYS) throw cursor.error(`declares ${keyCount} keys; the limit is ${MAX_KEYS}`)
  return { version, tensorCount, keyCount }
}

async function readPairs(cursor: HeaderCursor, count: number): Promise<Map<string, MetadataValue>> {
  const values = new Map<string, MetadataValue>()
  for (let i = 0; i < count; i++) {
    const key = await readKey(cursor, i)
    if (values.has(key)) throw cursor.error(`has ${naming('key', key)} twice`)
    values.set(key, await readValueOf(cursor, key))
  }
  return values
}

function readKey(cursor: HeaderCursor, index: number): Promise<string> {
  return readString(cursor, `the name of key ${index}`, MAX_NAME_BYTES)
}

async function readValueOf(cursor: HeaderCursor, key: string): Promise<MetadataValue> {
  const what = naming('key', key)
  await cursor.need(4, what)
  return readValue(cursor, cursor.u32(), what)
}

async function readTensor(cursor: HeaderCursor, index: number): Promise<Declared> {
  const name = await readString(cursor, `the name of tensor ${index}`, MAX_NAME_BYTES)
  const what = naming('tensor', name)
  await cursor.need(4, what)
  const rank = cursor.u32()
  if (rank === 0 || rank > MAX_RANK) throw cursor.error(`has ${rank} axes for ${what}; expected 1 to ${MAX_RANK}`)
  await cursor.need(8 * rank + 12, what)
  const axes = Array.from({ length: rank }, () => cursor.size(`a size of ${what}`))
  const id = cursor.u32()
  const offset = cursor.size(`the offset of ${what}`)
  const type = ggmlTypeOf(id)
  if (type === undefined) throw cursor.error(`has type ${id} for ${what}, which no version of ggml writes`)
  const shape = axes.reverse()
  return { name, type, shape, offset, length: lengthOf(cursor, what, type, shape) }
}

/** Rows are whole blocks; bytes without overflow on the way. */
function lengthOf(cursor: HeaderCursor, what: string, type: GgmlType, shape: readonly number[]): number {
  const { elements, bytes } = ggmlFormat(type)
  const shown = `[${shape.join(', ')}]`
  if (shape.includes(0)) throw cursor.error(`has shape ${shown} for ${what}; expected sizes of at least 1`)
  if ((shape.at(-1) as number) % elements !== 0) {
    throw cursor.error(`has shape ${shown} for ${what}; ${type} needs rows that are multiples of ${elements}`)
  }
  let length = bytes / elements
  for (const d of [...shape].reverse()) {
    length *= d
    if (!Number.isSafeInteger(Math.ceil(length))) {
      throw cursor.error(`has shape ${shown} for ${what}, more elements than any file can hold`)
    }
  }
  return length
}

function readAlignment(metadata: Metadata): number {
  const alignment = metadata.optionalInt('general.alignment', { min: 1, max: 2 ** 31 }) ?? DEFAULT_ALIGNMENT
  if (!Number.isInteger(Math.log2(alignment))) metadata.fail('general.alignment', 'a power of two')
  return alignment
}

/** Every tensor aligned, within the file, and apart from the others. */
function checkPlaces(source: ByteSource, declared: readonly Declared[], dataStart: number, alignment: number): void {
  const dataBytes = Math.max(0, source.size - dataStart)
  const sorted = [...declared].sort((a, b) => a.offset - b.offset)
  let end = 0
  let before: Declared | null = null
  for (const tensor of sorted) {
    const { name, offset, length } = tensor
    if (offset % alignment !== 0) {
      throw tensorError(source, name, `begins at byte ${offset} of the data; expected a multiple of ${alignment}`)
    }
    if (offset + length > dataBytes) {
      const met = `takes bytes ${offset} to ${offset + length} of the data, but the file holds ${dataBytes}`
      throw tensorError(source, name, `${met}; is the file cut short?`)
    }
    if (before && offset < end) {
      throw tensorError(
        source,
        name,
        `begins at byte ${offset} of the data, inside tensor ${quote(before.name)}${otherBlocks(before)}`,
      )
    }
    end = offset + length
    before = tensor
  }
}

/** PrismML's llama.cpp wrote the number of Q2_0 before ggml had it. */
function otherBlocks({ type }: Declared): string {
  return type === 'Q2_0'
    ? "; is it a file of PrismML's llama.cpp, whose Q2_0 has a scale for each 128 numbers? ggml's has one for each 64, and only that is read"
    : ''
}

function tensorError(source: ByteSource, tensor: string, message: string): CheckpointError {
  return new CheckpointError(`${source.path ?? source.name}: tensor ${quote(tensor)} ${message}`)
}

/** In the order of the file. */
function hex(word: number): string {
  return [0, 8, 16, 24].map(shift => ((word >>> shift) & 255).toString(16).padStart(2, '0')).join(' ')
}
