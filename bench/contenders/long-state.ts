/**
 * llama.cpp behind a long text without reading it, which would take 25 minutes for 32K tokens on two cores: the rows of
 * its cache file repeated. A step takes as long whatever the rows hold. Only files of MLA models, which keep no values
 * beside the keys, and of one sequence.
 */
import { readFileSync, writeFileSync } from 'node:fs'

/** GGSQ, as it lies in the file, and the version whose layout this is. */
const MAGIC = 'qsgg'
const VERSION = 3
const CELL_BYTES = 12

/** Writes the file again with `length` tokens, at least as many as it has. Throws where its layout is another. */
export function repeatRows(file: string, length: number): void {
  const state = new Reader(readFileSync(file))
  if (state.text(4) !== MAGIC || state.u32() !== VERSION) throw new Error(`${file} is no ${MAGIC} ${VERSION}`)
  const count = state.u32()
  const tokens = state.bytes(4 * count)
  const streams = state.u32()
  if (streams !== 1 || state.u32() !== count) throw new Error(`${file} holds more than one sequence of ${count} tokens`)
  state.bytes(CELL_BYTES * count)
  const transposed = state.u32()
  const layers = state.u32()
  const cells = Buffer.alloc(CELL_BYTES * length)
  for (let i = 0; i < length; i++) {
    cells.writeUInt32LE(i, CELL_BYTES * i)
    cells.writeUInt32LE(1, CELL_BYTES * i + 4)
  }
  const parts: Uint8Array[] = [
    Buffer.from(MAGIC),
    u32(VERSION, length),
    repeated(tokens, 4 * length),
    u32(1, length),
    cells,
  ]
  parts.push(u32(transposed, layers))
  for (let layer = 0; layer < layers; layer++) {
    const head = state.bytes(12)
    const rowBytes = Number(head.readBigUInt64LE(4))
    parts.push(head, repeated(state.bytes(rowBytes * count), rowBytes * length))
  }
  if (state.left > 0) throw new Error(`${file} has ${state.left} bytes behind the keys: values, which MLA has not`)
  writeFileSync(file, Buffer.concat(parts))
}

const u32 = (...list: number[]) => Buffer.from(Uint32Array.from(list).buffer)
const repeated = (rows: Buffer, bytes: number) => Buffer.alloc(bytes, rows)

class Reader {
  readonly #data: Buffer
  #at = 0

  constructor(data: Buffer) {
    this.#data = data
  }

  get left(): number {
    return this.#data.length - this.#at
  }

  bytes(count: number): Buffer {
    if (count > this.left) throw new Error(`the state ends ${count - this.left} bytes early`)
    this.#at += count
    return this.#data.subarray(this.#at - count, this.#at)
  }

  text(count: number): string {
    return this.bytes(count).toString('latin1')
  }

  u32(): number {
    return this.bytes(4).readUInt32LE(0)
  }
}
