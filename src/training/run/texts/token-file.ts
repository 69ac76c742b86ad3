/**
 * Documents as tokens in a file, of which a window is read at a time: more text than memory holds. Little-endian:
 *
 * | bytes | what |
 * |---|---|
 * | 4 T | tokens, i32; one that is not learned as -1 - id |
 * | 4 F D | for each document F numbers, u32: its length, with bit 31 where it says what is learned; pairs: also the chosen text's length and both prompts' |
 * | 40 | `LKTOKENS`, version, F, T (u64), D (u64), CRC-32 of all before, 0 |
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { Output } from '../../../conversion/output.ts'
import type { Document, DocumentShape, Documents } from '../../pieces.ts'
import { TrainingError } from '../errors.ts'

const MAGIC = 'LKTOKENS'
const VERSION = 1
const FOOTER = 40
/** Of the length of a document that says what is learned. */
const MARKED = 2 ** 31
const PAIR_FIELDS = 4
/** Numbers that are written or read at a time. */
const WINDOW = 1 << 18
/** Every so many documents the place of one is noted. */
const STRIDE = 64

/** Writes a file of tokens, whole or not at all. */
export class TokenWriter {
  readonly #output: Output
  readonly #fields: number
  readonly #window = new Int32Array(WINDOW)
  #filled = 0
  #tokens = 0
  #crc = 0
  /** Numbers of documents, in windows of which the last is being filled. */
  readonly #index: Uint32Array[] = []
  #indexed = 0
  #documents = 0

  private constructor(output: Output, pairs: boolean) {
    this.#output = output
    this.#fields = pairs ? PAIR_FIELDS : 1
  }

  /** Throws ConversionError where a file cannot be made. */
  static async open(path: string, pairs: boolean, signal: AbortSignal | undefined): Promise<TokenWriter> {
    return new TokenWriter(await Output.open(path, { signal }), pairs)
  }

  get documents(): number {
    return this.#documents
  }

  async add({ tokens, learned, pair }: Document): Promise<void> {
    await this.write(tokens, learned)
    this.end(tokens.length, learned !== undefined, pair)
  }

  /** Tokens of the document that `end` ends. */
  async write(tokens: ArrayLike<number>, learned?: Uint8Array): Promise<void> {
    for (let i = 0; i < tokens.length; i++) {
      if (this.#filled === WINDOW) await this.#flush()
      const id = tokens[i] as number
      this.#window[this.#filled++] = learned && !learned[i] ? -1 - id : id
    }
    this.#tokens += tokens.length
  }

  end(length: number, marked: boolean, pair?: Document['pair']): void {
    if (length >= MARKED) throw new TrainingError(`A document has ${length} tokens; expected fewer than ${MARKED}`)
    this.#note(length + (marked ? MARKED : 0))
    if (pair) for (const size of [pair.chosen, ...pair.prompts]) this.#note(size)
    this.#documents++
  }

  async finish(): Promise<void> {
    await this.#flush()
    for (const [i, part] of this.#index.entries()) {
      const isLast = i === this.#index.length - 1
      await this.#append(isLast ? part.subarray(0, this.#indexed - i * WINDOW) : part)
    }
    const footer = new Uint8Array(FOOTER)
    const view = new DataView(footer.buffer)
    footer.set(new TextEncoder().encode(MAGIC))
    view.setUint32(8, VERSION, true)
    view.setUint32(12, this.#fields, true)
    view.setBigUint64(16, BigInt(this.#tokens), true)
    view.setBigUint64(24, BigInt(this.#documents), true)
    view.setUint32(32, this.#crc, true)
    await this.#output.write(footer)
    await this.#output.finish()
  }

  discard(): Promise<void> {
    return this.#output.discard()
  }

  #note(value: number): void {
    const at = this.#indexed % WINDOW
    if (at === 0) this.#index.push(new Uint32Array(WINDOW))
    ;(this.#index.at(-1) as Uint32Array)[at] = value
    this.#indexed++
  }

  async #flush(): Promise<void> {
    await this.#append(this.#window.subarray(0, this.#filled))
    this.#filled = 0
  }

  async #append(numbers: Int32Array | Uint32Array): Promise<void> {
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
    this.#crc = crc32(bytes, this.#crc)
    await this.#output.write(bytes)
  }
}

/** A file of tokens that is open: its documents' lengths are in memory, 4 bytes each, 16 for a pair. */
export class TokenFile implements Documents {
  readonly path: string
  readonly count: number
  /** The highest token. */
  readonly top: number
  /** Tells these documents from others: a run goes on with those it was begun with. */
  readonly fingerprint: string
  readonly #file: number
  readonly #fields: number
  readonly #index: Uint32Array
  /** Tokens before every document of a multiple of the stride. */
  readonly #before: Float64Array

  private constructor(path: string, { fields, index, before }: Index, { top, fingerprint }: Contents) {
    this.path = path
    this.count = index.length / fields
    this.top = top
    this.fingerprint = fingerprint
    this.#fields = fields
    this.#index = index
    this.#before = before
    this.#file = openSync(path, 'r')
  }

  /** Reads the file once, and checks it; null: there is none, or it is damaged. */
  static async open(path: string, signal?: AbortSignal): Promise<TokenFile | null> {
    const file = await open(path).catch(() => null)
    if (!file) return null
    try {
      const index = await readIndex(file)
      const contents = index && (await readContents(file, index, signal))
      return index && contents && new TokenFile(path, index, contents)
    } finally {
      await file.close()
    }
  }

  close(): void {
    closeSync(this.#file)
  }

  shape(document: number): DocumentShape {
    const at = document * this.#fields
    const field = (i: number) => this.#index[at + i] as number
    const shape = { length: field(0) % MARKED, marked: field(0) >= MARKED }
    return this.#fields === PAIR_FIELDS
      ? { ...shape, pair: { chosen: field(1), prompts: [field(2), field(3)] } }
      : shape
  }

  read(document: number, from: number, to: number): Document {
    const tokens = new Int32Array(to - from)
    const bytes = new Uint8Array(tokens.buffer)
    const at = 4 * (this.#begin(document) + from)
    for (let done = 0; done < bytes.length; ) {
      const count = readSync(this.#file, bytes, done, bytes.length - done, at + done)
      if (count === 0) throw new TrainingError(`${this.path} was cut while it was read; leave the files of a run alone`)
      done += count
    }
    const { marked, pair } = this.shape(document)
    if (!marked) return pair ? { tokens, pair } : { tokens }
    const learned = Uint8Array.from(tokens, token => (token < 0 ? 0 : 1))
    return { tokens: tokens.map(token => (token < 0 ? -1 - token : token)), learned }
  }

  /** Tokens before a document. */
  #begin(document: number): number {
    const first = document - (document % STRIDE)
    let begin = this.#before[first / STRIDE] as number
    for (let i = first; i < document; i++) begin += (this.#index[i * this.#fields] as number) % MARKED
    return begin
  }
}

interface Index {
  readonly fields: number
  readonly tokens: number
  readonly index: Uint32Array
  readonly before: Float64Array
  /** Of the whole file, as it says. */
  readonly crc: number
}

interface Contents {
  readonly top: number
  readonly fingerprint: string
}

/** Null: the file is not one of tokens, or is not whole. */
async function readIndex(file: FileHandle): Promise<Index | null> {
  const { size } = await file.stat()
  if (size < FOOTER) return null
  const footer = await readBytes(file, size - FOOTER, FOOTER)
  const view = new DataView(footer.buffer)
  if (new TextDecoder().decode(footer.subarray(0, 8)) !== MAGIC || view.getUint32(8, true) !== VERSION) return null
  const fields = view.getUint32(12, true)
  const [tokens, documents] = [Number(view.getBigUint64(16, true)), Number(view.getBigUint64(24, true))]
  if ((fields !== 1 && fields !== PAIR_FIELDS) || 4 * (tokens + fields * documents) + FOOTER !== size) return null
  const index = new Uint32Array((await readBytes(file, 4 * tokens, 4 * fields * documents)).buffer)
  const before = new Float64Array(Math.ceil(documents / STRIDE))
  let sum = 0
  for (let i = 0; i < documents; i++) {
    if (i % STRIDE === 0) before[i / STRIDE] = sum
    sum += (index[i * fields] as number) % MARKED
  }
  return sum === tokens ? { fields, tokens, index, before, crc: view.getUint32(32, true) } : null
}

/** Reads all tokens, a window at a time; null: they are not those that were written. */
async function readContents(
  file: FileHandle,
  { fields, tokens, index, crc }: Index,
  signal: AbortSignal | undefined,
): Promise<Contents | null> {
  const hash = createHash('sha256')
  const documents = index.length / fields
  let [top, found, document, left] = [0, 0, -1, 0]
  let marks: Uint8Array[] = []
  // A document is hashed as it is in memory: its length, ids, what is learned, lengths of its pair.
  const endDocument = () => {
    for (const part of marks) hash.update(part)
    marks = []
    if (fields === PAIR_FIELDS && document >= 0)
      hash.update(index.slice(document * fields + 1, (document + 1) * fields))
  }
  const nextDocument = () => {
    endDocument()
    document++
    left = document < documents ? (index[document * fields] as number) % MARKED : 0
    if (document < documents) hash.update(Int32Array.of(left))
  }
  nextDocument()
  for (let at = 0; at < tokens; at += WINDOW) {
    signal?.throwIfAborted()
    const bytes = await readBytes(file, 4 * at, 4 * Math.min(WINDOW, tokens - at))
    found = crc32(bytes, found)
    const window = new Int32Array(bytes.buffer)
    for (let from = 0; from < window.length; ) {
      while (left === 0) nextDocument()
      const some = window.slice(from, Math.min(window.length, from + left))
      if ((index[document * fields] as number) >= MARKED) marks.push(Uint8Array.from(some, id => (id < 0 ? 0 : 1)))
      for (let i = 0; i < some.length; i++) {
        const id = some[i] as number
        if (id < 0) some[i] = -1 - id
        top = Math.max(top, some[i] as number)
      }
      hash.update(some)
      left -= some.length
      from += some.length
    }
  }
  while (document < documents) nextDocument()
  if (crc32(new Uint8Array(index.buffer), found) !== crc) return null
  const digest = hash.digest('hex').slice(0, 32)
  return { top, fingerprint: `${documents} documents, ${tokens} tokens, ${digest}` }
}

async function readBytes(file: FileHandle, at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(1 << 30, length - done), at + done)
    if (bytesRead === 0) throw new TrainingError('A file of tokens was cut while it was read')
    done += bytesRead
  }
  return bytes
}
