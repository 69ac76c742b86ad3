import type { TextFile } from './conversation.ts'

/** Larger files are no use in a prompt: a megabyte is about 250,000 tokens. */
const MAX_BYTES = 1 << 20

/** The text of a dropped file. @throws Error with a sentence for the reader. */
export async function readTextFile(file: File): Promise<TextFile> {
  if (file.size > MAX_BYTES) throw new Error(`${file.name} is larger than 1 MB, too long to be part of a message.`)
  const bytes = new Uint8Array(await file.arrayBuffer())
  if (bytes.includes(0)) throw new Error(`${file.name} is not a text file.`)
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { name: file.name, text: text.replaceAll('\r\n', '\n') }
  } catch {
    throw new Error(`${file.name} is not a text file in UTF-8.`)
  }
}
