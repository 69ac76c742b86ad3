import type { TokenBytes } from '../../src/sampling/banned-texts.ts'

/** The bytes of these tokens. */
export function tableOf(texts: readonly (string | Uint8Array)[]): TokenBytes {
  const parts = texts.map(text => (typeof text === 'string' ? new TextEncoder().encode(text) : text))
  const starts = new Int32Array(parts.length + 1)
  for (const [id, part] of parts.entries()) starts[id + 1] = starts[id]! + part.length
  return { bytes: Uint8Array.from(parts.flatMap(part => [...part])), starts }
}
