import { HALVES } from '../decode/block.ts'
import { encode, F16 } from '../halves.ts'

/** Encodes one block: its values begin at x[from], its bytes go to bytes[at] and on. Values are finite. */
export type BlockEncoder = (x: Float32Array, from: number, bytes: Uint8Array, at: number) => void

/** Writes `value` as f16 and returns the rounded value. */
export function putHalf(bytes: Uint8Array, at: number, value: number): number {
  const code = encode(value, F16)
  bytes[at] = code & 255
  bytes[at + 1] = code >> 8
  return HALVES[code]!
}

/** The element farthest from zero, with its sign; ties: the first. 0 if all are zero. */
export function extreme(x: Float32Array, from: number, count: number): number {
  let most = 0
  let found = 0
  for (let i = from; i < from + count; i++) {
    const magnitude = Math.abs(x[i]!)
    if (magnitude > most) {
      most = magnitude
      found = x[i]!
    }
  }
  return found
}
