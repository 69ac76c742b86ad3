import { textOfBytes } from '../../byte-text.ts'
import { CheckpointError } from '../../errors.ts'
import type { ByteSource } from '../../tensor/bytes.ts'
import { quote } from '../quote.ts'

/** Bytes fetched at once: more than most headers without a vocabulary, little beside a file. */
const CHUNK = 1 << 20
/** The largest known have some 20 MB: vocabularies of 260,000 tokens with scores, types and merges. */
const MAX_HEADER = 256 << 20

/**
 * Walks through the header of a file, little-endian, without ever holding more of it than is being read: `need` makes
 * sure of the next bytes, the others then take them. Nothing is allocated before the file is known to have it.
 */
export class HeaderCursor {
  readonly #source: ByteSource
  #window: Uint8Array = new Uint8Array()
  #view = new DataView(new ArrayBuffer(0))
  /** Where the window begins in the file, and where the next byte is in the window. */
  #start = 0
  #at = 0

  constructor(source: ByteSource) {
    this.#source = source
  }

  /** In the file, in bytes. */
  get position(): number {
    return this.#start + this.#at
  }

  /** Bytes of the file that have not been walked through. */
  get rest(): number {
    return this.#source.size - this.position
  }

  /** Whether `need` would return at once: waiting for it 300,000 times is what would take long. */
  has(length: number): boolean {
    return this.#window.length - this.#at >= length
  }

  async need(length: number, what: string): Promise<void> {
    if (this.has(length)) return
    if (length > this.rest) throw this.error(`ends inside ${what}, which takes ${length} bytes; is it cut short?`)
    if (this.position + length > MAX_HEADER) {
      throw this.error(`has a header of more than ${MAX_HEADER} bytes: ${what} takes ${length} of them`)
    }
    const kept = this.#window.subarray(this.#at)
    const wanted = Math.min(Math.max(length, CHUNK), this.rest)
    const fetched = await this.#source.read(this.position + kept.length, wanted - kept.length)
    const window = new Uint8Array(wanted)
    window.set(kept)
    window.set(fetched, kept.length)
    this.#start += this.#at
    this.#at = 0
    this.#window = window
    this.#view = new DataView(window.buffer)
  }

  /** The next bytes, valid until the next `need`. */
  bytes(length: number): Uint8Array {
    const at = this.#advance(length)
    return this.#window.subarray(at, at + length)
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1))
  }
  i8(): number {
    return this.#view.getInt8(this.#advance(1))
  }
  u16(): number {
    return this.#view.getUint16(this.#advance(2), true)
  }
  i16(): number {
    return this.#view.getInt16(this.#advance(2), true)
  }
  u32(): number {
    return this.#view.getUint32(this.#advance(4), true)
  }
  i32(): number {
    return this.#view.getInt32(this.#advance(4), true)
  }
  f32(): number {
    return this.#view.getFloat32(this.#advance(4), true)
  }
  f64(): number {
    return this.#view.getFloat64(this.#advance(8), true)
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true)
  }
  i64(): bigint {
    return this.#view.getBigInt64(this.#advance(8), true)
  }

  /** A count or an offset: u64, but no honest one is beyond 2^53. */
  size(what: string): number {
    const value = this.u64()
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value)
    throw this.error(`has ${value} as ${what}; no file can hold that`)
  }

  /** Texts that are no UTF-8 come as `textOfBytes` writes them: a description in Latin-1 is no reason to stop. */
  text(length: number): string {
    return textOfBytes(this.bytes(length))
  }

  error(message: string, cause?: unknown): CheckpointError {
    return new CheckpointError(`${this.#source.path ?? this.#source.name} ${message}`, { cause })
  }

  #advance(length: number): number {
    const at = this.#at
    this.#at += length
    return at
  }
}

/** For messages: which key or tensor is being read. */
export const naming = (kind: 'key' | 'tensor', name: string): string => `${kind} ${quote(name)}`
