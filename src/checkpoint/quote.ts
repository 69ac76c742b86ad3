/** Text of a file for a message: in quotes, at most `limit` characters, one line, nothing that moves a cursor. */
export function quote(text: string, limit = 200): string {
  const short = text.length > limit ? `${text.slice(0, limit)}…` : text
  // JSON escapes the control characters below 0x20 only.
  return JSON.stringify(short).replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/gu, escaped)
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
  return units.map(unit => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
