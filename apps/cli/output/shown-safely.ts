import { printable } from '../../../src/for-apps.ts'
import { colours } from './colour.ts'

/** The sequences that picocolors writes: bold, dim, inverse, colours of the first eight and their ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with one
const PAINT = /(\u001b\[(?:0|[1-4]|7|2[2-9]|3[0-79]|4[0-79]|49|9[0-7])m)/

/** A text for a terminal or a file: removes all control characters but line breaks, tabs and our own colours. */
export function shownSafely(text: string, stream: { readonly isTTY?: boolean }): string {
  if (!colours(stream).isColorSupported) return printable(text, { lines: true })
  return text
    .split(PAINT)
    .map((part, i) => (i % 2 === 1 ? part : printable(part, { lines: true })))
    .join('')
}
