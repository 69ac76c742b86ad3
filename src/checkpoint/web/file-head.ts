/** The beginning of a file on a server: enough to read its header before the file is downloaded. */
import { CheckpointError } from '../../errors.ts'
import type { ByteSource } from '../../tensor/bytes.ts'
import { TransientError } from '../hub/hub-error.ts'
import { type FetchOptions, fetchPart, type RemoteFile } from './download-file.ts'
import type { FileSink } from './file-sink.ts'

/** Bytes that are asked for first; each further time twice as many, since vocabularies are long. */
const FIRST = 1 << 18

export class FileHead implements ByteSource {
  readonly name: string
  readonly size: number
  readonly #file: RemoteFile
  readonly #options: FetchOptions
  readonly #validator: string
  #bytes: Uint8Array
  #growing: Promise<void> = Promise.resolve()

  private constructor(file: RemoteFile, size: number, bytes: Uint8Array, validator: string, options: FetchOptions) {
    this.name = file.name
    this.size = size
    this.#file = file
    this.#bytes = bytes
    this.#validator = validator
    this.#options = options
  }

  /** Null where the server gives no parts, or does not say how long the file is. Throws HubError, TransientError. */
  static async open(file: RemoteFile, options: FetchOptions): Promise<FileHead | null> {
    const part = await fetchPart(file, 0, FIRST, options)
    const size = file.size ?? part?.total ?? null
    return part && size !== null ? new FileHead(file, size, part.bytes, part.validator, options) : null
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const end = offset + length
    if (!(offset >= 0 && length >= 0 && end <= this.size)) {
      throw new CheckpointError(`${this.name}: bytes ${offset} to ${end} were asked for; there are ${this.size} bytes`)
    }
    this.#growing = this.#growing.then(() => this.#reach(end))
    await this.#growing
    return this.#bytes.slice(offset, end)
  }

  /** What is there need not come again. What the sink has of another version goes. */
  async giveTo(sink: FileSink): Promise<void> {
    if (sink.have >= this.#bytes.length && sink.version?.validator === this.#validator) return
    await sink.restart({ url: this.#file.url, validator: this.#validator })
    await sink.append(this.#bytes)
  }

  async #reach(end: number): Promise<void> {
    while (this.#bytes.length < end) {
      const have = this.#bytes.length
      const wanted = Math.min(this.size, Math.max(end, 2 * have)) - have
      const part = await fetchPart(this.#file, have, wanted, this.#options)
      if (part?.validator !== this.#validator || part.bytes.length < wanted) {
        throw new TransientError(`${this.#file.url} did not send the bytes from ${have} on as before`)
      }
      const bytes = new Uint8Array(have + wanted)
      bytes.set(this.#bytes)
      bytes.set(part.bytes, have)
      this.#bytes = bytes
    }
  }
}
