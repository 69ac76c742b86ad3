import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { SAFETENSORS_BITS } from '../checkpoint/safetensors/dtypes.ts'
import { beginPartial, endPartial } from '../files/partial-files.ts'
import { fileTarget } from '../files/target.ts'
import type { Summary } from './distribution.ts'
import { ReferenceFileError } from './errors.ts'
import { encodeRow, referenceMetadata, referenceTensors } from './reference-format.ts'
import type { Windows } from './windows.ts'

/**
 * Writes a reference file while it is computed, as `PATH.….incomplete` until it is complete. Call `add` for every scored
 * row in order, `flush` now and then, and `finish` or `abandon` at the end.
 */
export class ReferenceWriter {
  readonly #path: string
  readonly #target: string
  readonly #part: string
  readonly #file: FileHandle
  readonly #windows: Windows
  readonly #vocabSize: number
  readonly #nll: Float32Array
  readonly #range: Float32Array
  /** Byte offset of each tensor. */
  readonly #start: Readonly<Record<string, number>>
  #pending: Uint16Array[] = []
  #rows = 0
  #written = 0

  static async create(path: string, model: string, windows: Windows, vocabSize: number): Promise<ReferenceWriter> {
    const { header, start } = layOut(model, windows, vocabSize)
    let writer: ReferenceWriter | null = null
    try {
      const target = await fileTarget(path)
      const part = `${target}.${randomUUID().slice(0, 8)}.incomplete`
      beginPartial(part)
      const file = await open(part, 'wx').catch((error: unknown) => {
        endPartial(part)
        throw error
      })
      writer = new ReferenceWriter({ path, target, part }, file, windows, vocabSize, start)
      await writeAll(file, header, 0)
      return writer
    } catch (error) {
      await writer?.abandon()
      throw new ReferenceFileError(`${path} cannot be written: ${(error as Error).message}`, { cause: error })
    }
  }

  private constructor(
    { path, target, part }: { readonly path: string; readonly target: string; readonly part: string },
    file: FileHandle,
    windows: Windows,
    vocabSize: number,
    start: Readonly<Record<string, number>>,
  ) {
    this.#path = path
    this.#target = target
    this.#part = part
    this.#file = file
    this.#windows = windows
    this.#vocabSize = vocabSize
    this.#start = start
    this.#nll = new Float32Array(windows.scored)
    this.#range = new Float32Array(2 * windows.scored)
  }

  add(row: Float32Array, summary: Summary, nll: number): void {
    const codes = new Uint16Array(this.#vocabSize)
    this.#range.set(encodeRow(codes, row, summary), 2 * this.#rows)
    this.#nll[this.#rows++] = nll
    this.#pending.push(codes)
  }

  /** Writes the added rows to disk. */
  async flush(): Promise<void> {
    const rowBytes = 2 * this.#vocabSize
    for (const codes of this.#pending)
      await this.#write(codes, (this.#start.codes as number) + this.#written++ * rowBytes)
    this.#pending = []
  }

  async finish(): Promise<void> {
    await this.flush()
    const { nll, range, tokens } = this.#start
    const { list, size } = this.#windows
    await this.#write(this.#nll, nll as number)
    await this.#write(this.#range, range as number)
    for (const [w, ids] of list.entries()) await this.#write(ids, (tokens as number) + 4 * w * size)
    await this.#file.close()
    await rename(this.#part, this.#target)
    endPartial(this.#part)
  }

  /** Removes the partial file. */
  async abandon(): Promise<void> {
    await this.#file.close()
    await rm(this.#part, { force: true })
    endPartial(this.#part)
  }

  async #write(data: Float32Array | Int32Array | Uint16Array, position: number): Promise<void> {
    try {
      await writeAll(this.#file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position)
    } catch (error) {
      throw new ReferenceFileError(`${this.#path} cannot be written: ${(error as Error).message}`, { cause: error })
    }
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
  }
}

/** The header, padded as the format recommends, and the offset of each tensor. */
function layOut(model: string, windows: Windows, vocabSize: number) {
  const header: Record<string, unknown> = { __metadata__: referenceMetadata(model, windows) }
  const offsets: Record<string, number> = {}
  let end = 0
  for (const [name, { dtype, shape }] of Object.entries(referenceTensors(windows, windows.list.length, vocabSize))) {
    offsets[name] = end
    const begin = end
    end += (shape.reduce((n, d) => n * d, 1) * SAFETENSORS_BITS[dtype]) / 8
    header[name] = { dtype, shape, data_offsets: [begin, end] }
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const length = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + length).fill(0x20, 8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true)
  bytes.set(json, 8)
  const start = Object.fromEntries(Object.entries(offsets).map(([name, at]) => [name, bytes.length + at]))
  return { header: bytes, start }
}
