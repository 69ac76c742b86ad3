/**
 * NumPy's archive of arrays: a ZIP whose entries are stored as they are, each an array in NumPy's own format (NEP 1). An entry's
 * checksum is known when its numbers have passed by, so it follows them (APPNOTE 4.3.9); sizes are in 64 bits throughout (4.5.3).
 */
import { crc32 } from 'node:zlib'
import { npyHeader } from '../output/npy-header.ts'
import type { Append } from '../output/whole-file.ts'
import { bytesOfArray, type NamedArray, pieces } from './arrays.ts'

/** Sizes that stand elsewhere, in 64 bits. */
const ELSEWHERE = 0xffffffff
/** Names are UTF-8; checksum and sizes follow the data. */
const FLAGS = 0x0808
const VERSION = 45
/** 1 January 1980: files of equal numbers are equal. */
const DATE = 0x21

interface Entry {
  readonly name: Uint8Array
  readonly crc: number
  readonly size: number
  readonly offset: number
}

export async function writeNpz(append: Append, arrays: readonly NamedArray[]): Promise<void> {
  let offset = 0
  const put = async (bytes: Uint8Array) => {
    await append(bytes)
    offset += bytes.length
  }
  const entries: Entry[] = []
  for (const array of arrays) {
    const name = new TextEncoder().encode(`${array.name}.npy`)
    const start = offset
    const header = npyHeader(array)
    const size = header.length + bytesOfArray(array)
    const extra = record([2, 1], [2, 16], [8, size], [8, size])
    await put(
      record(
        [4, 0x04034b50],
        [2, VERSION],
        [2, FLAGS],
        [2, 0],
        [2, 0],
        [2, DATE],
        [4, 0],
        [4, ELSEWHERE],
        [4, ELSEWHERE],
        [2, name.length],
        [2, extra.length],
      ),
    )
    await put(name)
    await put(extra)
    await put(header)
    let crc = crc32(header)
    for await (const piece of pieces(array)) {
      crc = crc32(piece, crc)
      await put(piece)
    }
    await put(record([4, 0x08074b50], [4, crc], [8, size], [8, size]))
    entries.push({ name, crc, size, offset: start })
  }
  const directory = offset
  for (const { name, crc, size, offset } of entries) {
    const extra = record([2, 1], [2, 24], [8, size], [8, size], [8, offset])
    await put(
      record(
        [4, 0x02014b50],
        [2, VERSION],
        [2, VERSION],
        [2, FLAGS],
        [2, 0],
        [2, 0],
        [2, DATE],
        [4, crc],
        [4, ELSEWHERE],
        [4, ELSEWHERE],
        [2, name.length],
        [2, extra.length],
        [2, 0],
        [2, 0],
        [2, 0],
        [4, 0],
        [4, ELSEWHERE],
      ),
    )
    await put(name)
    await put(extra)
  }
  const length = offset - directory
  const end = offset
  const n = entries.length
  await put(
    record(
      [4, 0x06064b50],
      [8, 44],
      [2, VERSION],
      [2, VERSION],
      [4, 0],
      [4, 0],
      [8, n],
      [8, n],
      [8, length],
      [8, directory],
    ),
  )
  await put(record([4, 0x07064b50], [4, 0], [8, end], [4, 1]))
  await put(record([4, 0x06054b50], [2, 0], [2, 0], [2, 0xffff], [2, 0xffff], [4, ELSEWHERE], [4, ELSEWHERE], [2, 0]))
}

/** Numbers of 2, 4 or 8 bytes, little-endian. */
function record(...fields: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Uint8Array {
  const record = new Uint8Array(fields.reduce((n, [bytes]) => n + bytes, 0))
  const view = new DataView(record.buffer)
  let at = 0
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true)
    else if (bytes === 4) view.setUint32(at, value, true)
    else view.setBigUint64(at, BigInt(value), true)
    at += bytes
  }
  return record
}
