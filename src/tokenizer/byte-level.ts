/**
 * The byte-level alphabet of GPT-2: every byte is written as one printable character, so that any text is a string
 * of vocabulary characters. Bytes that print as themselves stay; the rest are numbered from U+0100 on.
 */
export const BYTE_TO_CHAR: readonly string[] = (() => {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++))
})()

/** Byte by character code 0..0x143; -1 if the character stands for no byte. */
const CHAR_TO_BYTE = (() => {
  const table = new Int16Array(0x144).fill(-1)
  for (const [byte, char] of BYTE_TO_CHAR.entries()) table[char.charCodeAt(0)] = byte
  return table
})()

/** The bytes of a byte-level token; undefined if one of its characters is outside the alphabet. */
export function byteLevelBytes(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length)
  for (let i = 0; i < token.length; i++) {
    const byte = CHAR_TO_BYTE[token.charCodeAt(i)] ?? -1
    if (byte < 0) return undefined
    bytes[i] = byte
  }
  return bytes
}
