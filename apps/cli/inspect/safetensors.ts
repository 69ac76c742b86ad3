/** The safetensors format: the length of a header in JSON, the header, then all numbers one behind the other. */

import type { Append } from '../output/whole-file.ts'
import { bytesOfArray, type NamedArray, pieces } from './arrays.ts'

const NAMES = { f32: 'F32', i64: 'I64' } as const

export async function writeSafetensors(
  append: Append,
  arrays: readonly NamedArray[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: metadata }
  // Integers first: their 8 bytes keep everything aligned.
  const ordered = [...arrays].sort((a, b) => Number(b.dtype === 'i64') - Number(a.dtype === 'i64'))
  let at = 0
  for (const array of ordered) {
    const end = at + bytesOfArray(array)
    header[array.name] = { dtype: NAMES[array.dtype], shape: array.shape, data_offsets: [at, end] }
    at = end
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const length = 8 * Math.ceil(json.length / 8)
  const begin = new Uint8Array(8 + length).fill(0x20, 8)
  new DataView(begin.buffer).setBigUint64(0, BigInt(length), true)
  begin.set(json, 8)
  await append(begin)
  for (const array of ordered) for await (const piece of pieces(array)) await append(piece)
}
