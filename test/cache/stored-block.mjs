// Plain JavaScript, since processes that are killed run it without a compiler.
import { createHash } from 'node:crypto'

/** Blocks that every process makes alike. */
export function blockOf(seed, parent, bytes = 4000) {
  const digits = createHash('sha512').update(`${seed}`).digest()
  const ids = Array.from({ length: 64 }, (_, i) => digits[i] + seed)
  const memory = Uint8Array.from({ length: bytes }, (_, i) => digits[i % 64] ^ (i * 7))
  return { parent, ids, provenance: ids.map(id => id & 3), groups: [memory, null] }
}
