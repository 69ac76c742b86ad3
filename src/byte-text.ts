/**
 * Text of files that should be UTF-8 and need not be: a byte that is none becomes a lone surrogate U+DC80 to U+DCFF, as
 * Python's `surrogateescape` has it. So no two texts become one, and the bytes can be had back.
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()
/** With `u` only surrogates without a partner match. */
const ESCAPED = /[\udc80-\udcff]/u
const ESCAPED_OR_TEXT = /[\udc80-\udcff]|[^\udc80-\udcff]+/gu

export function textOfBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes)
  } catch {
    return escaped(bytes)
  }
}

export function bytesOfText(text: string): Uint8Array {
  if (!ESCAPED.test(text)) return encoder.encode(text)
  const parts = text.match(ESCAPED_OR_TEXT) ?? []
  const bytes = parts.flatMap(part => (ESCAPED.test(part) ? [part.charCodeAt(0) & 0xff] : [...encoder.encode(part)]))
  return Uint8Array.from(bytes)
}

/** Whole characters as they are, every other byte by itself. */
function escaped(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = characterAt(bytes, at)
    text += length > 0 ? strict.decode(bytes.subarray(at, at + length)) : String.fromCharCode(0xdc00 | bytes[at]!)
    at += Math.max(1, length)
  }
  return text
}

/** Bytes of the UTF-8 sequence that begins there; 0: none does. */
function characterAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  if (length === 0 || at + length > bytes.length) return 0
  try {
    strict.decode(bytes.subarray(at, at + length))
    return length
  } catch {
    return 0
  }
}
