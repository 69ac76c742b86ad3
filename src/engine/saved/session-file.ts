/** Sessions as sealed files: a header, then ids, provenance and blocks as memory has them. */
import type { SealedFiles, SealedReader } from '../types/platform.ts'
import { bodyBytes, parseSessionHeader, SESSION_MAGIC, type SessionHeader } from './session-header.ts'

export interface SessionToWrite {
  readonly header: Omit<SessionHeader, 'endianness' | 'savedAt' | 'tokens' | 'rows' | 'blocks'>
  readonly tokens: readonly number[]
  /** Of the rows: one each per row. */
  readonly ids: readonly number[]
  readonly provenance: readonly number[]
  /** Bytes of each block by group. */
  readonly sizes: readonly (readonly (number | null)[])[]
  /** Their memory, in the same order. */
  readonly blocks: AsyncIterable<Uint8Array>
}

/** Of this machine. */
const ENDIANNESS = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 'LE' : 'BE'

/** Gives the file's size. An older file of that name stays until the new one is whole. */
export async function writeSession(files: SealedFiles, path: string, session: SessionToWrite): Promise<number> {
  const { tokens, ids, provenance, sizes, blocks } = session
  const header: SessionHeader = {
    ...session.header,
    endianness: ENDIANNESS,
    savedAt: new Date().toISOString(),
    tokens: tokens.length,
    rows: ids.length,
    blocks: sizes.map(byGroup => [...byGroup]),
  }
  async function* parts(): AsyncGenerator<Uint8Array> {
    yield bytesOf(Int32Array.from(tokens))
    yield bytesOf(Int32Array.from(ids))
    yield Uint8Array.from(provenance)
    yield* blocks
  }
  return files.write(path, SESSION_MAGIC, header, parts())
}

/** A session's file as it is read. Errors say what is wrong with it; nothing is to be believed before `finish`. */
export class SessionReader {
  readonly header: SessionHeader
  readonly tokens: readonly number[]
  readonly ids: readonly number[]
  readonly provenance: readonly number[]
  readonly #file: SealedReader
  #left: number

  private constructor(
    file: SealedReader,
    header: SessionHeader,
    tokens: number[],
    ids: number[],
    provenance: number[],
  ) {
    this.#file = file
    this.header = header
    this.tokens = tokens
    this.ids = ids
    this.provenance = provenance
    this.#left = header.blocks.flat().reduce<number>((n, bytes) => n + (bytes ?? 0), 0)
  }

  static async open(files: SealedFiles, path: string): Promise<SessionReader> {
    const file = await files.open(path, SESSION_MAGIC)
    try {
      const header = parseSessionHeader(file.header)
      const expected = bodyBytes(header)
      if (file.bodyBytes !== expected) throw new Error(`it has ${file.bodyBytes} bytes of rows, not ${expected}`)
      if (header.endianness !== ENDIANNESS) {
        throw new Error(`it was written by a machine of the other byte order (${header.endianness})`)
      }
      const tokens = integers(await file.next(4 * header.tokens))
      const ids = integers(await file.next(4 * header.rows))
      return new SessionReader(file, header, tokens, ids, [...(await file.next(header.rows))])
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** The memory of the next block that is there. */
  async next(bytes: number): Promise<Uint8Array> {
    this.#left -= bytes
    return this.#file.next(bytes)
  }

  /** Passes over blocks that nobody wanted, and checks the whole. */
  async finish(): Promise<void> {
    while (this.#left > 0) await this.next(Math.min(this.#left, 2 ** 20))
    await this.#file.finish()
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

function bytesOf(integers: Int32Array): Uint8Array {
  return new Uint8Array(integers.buffer)
}

function integers(bytes: Uint8Array): number[] {
  return [...new Int32Array(bytes.buffer)]
}
