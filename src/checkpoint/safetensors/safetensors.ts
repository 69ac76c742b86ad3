import { CheckpointError } from '../../errors.ts'
import type { ByteSource } from '../../tensor/bytes.ts'
import { JsonScanError, JsonScanner } from '../json-scanner.ts'
import { quote } from '../quote.ts'
import { describeContent } from '../source/file-kind.ts'
import { type StoredType, type TensorEntry, weightTypeOf } from '../tensor-entry.ts'
import { isSafetensorsDType, SAFETENSORS_BITS } from './dtypes.ts'

export interface SafetensorsFile {
  readonly source: ByteSource
  /** In the order of their offsets. */
  readonly tensors: ReadonlyMap<string, TensorEntry>
  /** `__metadata__`: free text by key; other values are left out. */
  readonly metadata: ReadonlyMap<string, string>
}

/** The format's own limit for the header, in bytes. */
const MAX_HEADER = 100_000_000
/** Far above any model (Kimi-K2 has some 140,000), far below a harmful number. */
const MAX_TENSORS = 1_000_000
const MAX_METADATA = 100_000
/** The format has three; others are skipped, as the safetensors library does. */
const MAX_TENSOR_KEYS = 64
/** numpy and PyTorch allow 64. */
const MAX_RANK = 64
const LENGTH_BYTES = 8

const THE_HEADER = () => 'the header'
const METADATA = () => '__metadata__'

interface Declared {
  readonly name: string
  readonly dtype: StoredType
  readonly shape: readonly number[]
  readonly start: number
  readonly end: number
}

/**
 * Reads and checks the header of a safetensors file: u64 length, JSON, then the tensors' bytes without gaps. Only the
 * header is read. Throws CheckpointError naming the file, the tensor, what was met and what was expected.
 */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsFile> {
  const { text, dataStart } = await readHeaderText(source)
  const { declared, metadata } = parseHeader(source, text)
  checkCoverage(source, declared, source.size - dataStart)
  const tensors = new Map<string, TensorEntry>()
  for (const { name, dtype, shape, start, end } of declared) {
    const bytes = { source, offset: dataStart + start, length: end - start }
    tensors.set(name, { name, dtype, shape, bytes })
  }
  return { source, tensors, metadata }
}

/** On failure, the error says what kind of file this is instead, if its first bytes tell. */
async function readHeaderText(source: ByteSource) {
  try {
    const length = await readHeaderLength(source)
    const text = decode(source, await source.read(LENGTH_BYTES, length))
    if (text.startsWith('{')) return { text, dataStart: LENGTH_BYTES + length }
    throw fileError(source, `has a damaged header: it begins with ${quote(text.slice(0, 12))} instead of "{"`)
  } catch (error) {
    const other = await describeContent(source)
    throw other === undefined ? error : fileError(source, other, error)
  }
}

async function readHeaderLength(source: ByteSource): Promise<number> {
  if (source.size < LENGTH_BYTES) {
    throw fileError(source, `has ${source.size} bytes; a safetensors file begins with the 8-byte length of its header`)
  }
  const bytes = await source.read(0, LENGTH_BYTES)
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true)
  if (length > MAX_HEADER) {
    throw fileError(source, `declares a header of ${length} bytes; the limit is ${MAX_HEADER}. Is it safetensors?`)
  }
  if (LENGTH_BYTES + Number(length) > source.size) {
    const met = `declares a header of ${length} bytes, but only ${source.size - LENGTH_BYTES} follow`
    throw fileError(source, `${met}; the file is cut short or not safetensors`)
  }
  return Number(length)
}

function decode(source: ByteSource, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw fileError(source, 'has a header that is not UTF-8 text; is it safetensors?', error)
  }
}

function parseHeader(source: ByteSource, text: string) {
  const scanner = new JsonScanner(text)
  const declared: Declared[] = []
  const metadata = new Map<string, string>()
  try {
    scanner.object(THE_HEADER, MAX_TENSORS, name => {
      if (name !== '__metadata__') declared.push(parseTensor(source, scanner, name))
      else readMetadata(scanner, metadata)
    })
    scanner.end()
  } catch (error) {
    if (error instanceof JsonScanError) throw fileError(source, `has a damaged header: ${error.message}`, error)
    throw error
  }
  return { declared, metadata }
}

/** The format's specification requires text values. Files with null or numbers are accepted all the same. */
function readMetadata(scanner: JsonScanner, metadata: Map<string, string>): void {
  if (scanner.next() !== '{') {
    scanner.skip(METADATA)
    return
  }
  scanner.object(METADATA, MAX_METADATA, key => {
    const what = () => `the text of ${quote(key)}`
    if (scanner.next() === '"') metadata.set(key, scanner.string(what))
    else scanner.skip(what)
  })
}

function parseTensor(source: ByteSource, scanner: JsonScanner, name: string): Declared {
  let dtype: string | undefined
  let shape: number[] | undefined
  let offsets: number[] | undefined
  const tensor = () => `tensor ${quote(name)}`
  scanner.object(tensor, MAX_TENSOR_KEYS, key => {
    const what = () => `${key} of ${tensor()}`
    if (key === 'dtype') dtype = scanner.string(what)
    else if (key === 'shape') shape = scanner.integers(what, MAX_RANK)
    else if (key === 'data_offsets') offsets = scanner.integers(what, 2)
    else scanner.skip(what)
  })
  if (dtype === undefined) throw tensorError(source, name, 'has no dtype')
  if (shape === undefined) throw tensorError(source, name, 'has no shape')
  if (offsets === undefined) throw tensorError(source, name, 'has no data_offsets')
  if (!isSafetensorsDType(dtype) && !isForeignDType(dtype)) {
    const known = Object.keys(SAFETENSORS_BITS).join(', ')
    throw tensorError(source, name, `has dtype ${quote(dtype)}; expected one of ${known}`)
  }
  const [start, end] = offsets
  if (start === undefined || end === undefined || start > end) {
    throw tensorError(source, name, `has data_offsets [${offsets.join(', ')}]; expected [start, end], start <= end`)
  }
  checkLength(source, { name, dtype, shape, start, end })
  return { name, dtype, shape, start, end }
}

/** Whether this looks like a future type of the format and has no other meaning here. */
function isForeignDType(dtype: string): boolean {
  return /^[A-Z][A-Z0-9_]{0,31}$/.test(dtype) && weightTypeOf(dtype) === undefined
}

/** Checks bytes = elements x size of the type, without overflow. */
function checkLength(source: ByteSource, { name, dtype, shape, start, end }: Declared): void {
  if (!isSafetensorsDType(dtype)) return
  let bits: number = SAFETENSORS_BITS[dtype]
  for (const d of shape) {
    bits *= d
    if (!Number.isSafeInteger(bits)) {
      throw tensorError(source, name, `has shape [${shape.join(', ')}], more elements than any file can hold`)
    }
  }
  if (bits % 8 !== 0) {
    const met = `of shape [${shape.join(', ')}] and dtype ${dtype} takes ${bits} bits`
    throw tensorError(source, name, `${met}; expected whole bytes`)
  }
  if (end - start !== bits / 8) {
    const expected = `shape [${shape.join(', ')}] of ${dtype} takes ${bits / 8}`
    throw tensorError(source, name, `has ${end - start} bytes (data_offsets [${start}, ${end}]); ${expected}`)
  }
}

/** Sorts by offset and checks that every byte after the header belongs to exactly one tensor. */
function checkCoverage(source: ByteSource, declared: Declared[], dataBytes: number): void {
  declared.sort((a, b) => a.start - b.start || a.end - b.end)
  let covered = 0
  let last: string | undefined
  const before = () => (last === undefined ? 'the header' : `tensor ${quote(last)}`)
  for (const { name, start, end } of declared) {
    if (end > dataBytes) {
      const met = `ends at byte ${end} of the data, but the file holds ${dataBytes}`
      throw tensorError(source, name, `${met}; is the file cut short?`)
    }
    if (start < covered) throw tensorError(source, name, `begins at byte ${start} of the data, inside ${before()}`)
    if (start > covered) {
      throw tensorError(
        source,
        name,
        `begins at byte ${start} of the data; expected ${covered}, where ${before()} ends`,
      )
    }
    covered = end
    last = name
  }
  if (covered !== dataBytes) {
    throw fileError(source, `holds ${dataBytes} bytes of data, but its tensors take ${covered}; the rest is unknown`)
  }
}

function tensorError(source: ByteSource, tensor: string, message: string): CheckpointError {
  return new CheckpointError(`${source.path ?? source.name}: tensor ${quote(tensor)} ${message}`)
}

function fileError(source: ByteSource, message: string, cause?: unknown): CheckpointError {
  return new CheckpointError(`${source.path ?? source.name} ${message}`, { cause })
}
