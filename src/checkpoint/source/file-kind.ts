import type { ByteSource } from '../../tensor/bytes.ts'
import { quote } from '../quote.ts'

/** A file's kind, judged by its first bytes, not by its name. */
export type FileKind = 'gguf' | 'safetensors' | 'json' | 'other'

/** A safetensors header begins at byte 8 and is shorter than this, in bytes: the format's own limit. */
const MAX_HEADER = 100_000_000
const START = 512

export async function fileKind(source: ByteSource): Promise<FileKind> {
  const bytes = await firstBytes(source)
  if (startsWith(bytes, 'GGUF')) return 'gguf'
  if (bytes.length > 8 && bytes[8] === 0x7b && headerLength(bytes) <= MAX_HEADER) return 'safetensors'
  return /^\s*\{/.test(asText(bytes)) ? 'json' : 'other'
}

/**
 * What an unreadable file really is, and the remedy: the end of a sentence that begins with the file's name. Undefined
 * if its first bytes do not tell.
 */
export async function describeContent(source: ByteSource): Promise<string | undefined> {
  if (source.size === 0) return 'is empty (0 bytes); download it again'
  const bytes = await firstBytes(source)
  const text = asText(bytes)
  if (text.startsWith('version https://git-lfs')) return lfsPointer(text, source.size)
  const known = SIGNATURES.find(({ start }) => startsWith(bytes, start))
  if (known) return known.is
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) return 'is a web page, not the file itself; download it again'
  // Error bodies of the hub, saved as a file.
  if (/^(Access to|Entry not found|Invalid (username|credentials)|Repository not found|Not Found)/i.test(text)) {
    return `holds an error message (${quote(text.trim(), 80)}) in place of the file; download it again`
  }
  if (bytes.every(byte => byte === 0)) return 'begins with zeros only; was its download broken off? Download it again'
  return undefined
}

function lfsPointer(text: string, size: number): string {
  const real = /^size (\d+)$/m.exec(text)?.[1]
  const whole = real === undefined ? '' : `, in place of the ${real} bytes that it stands for`
  return (
    `is a Git LFS pointer of ${size} bytes${whole}: the content was never downloaded. Run "git lfs pull" in its folder, ` +
    'or download the file again'
  )
}

/** Latin-1: one character per byte. */
const SIGNATURES: readonly { readonly start: string; readonly is: string }[] = [
  { start: 'GGUF', is: 'is a GGUF file; give its path as the model' },
  {
    start: 'PK\x03\x04',
    is: 'is a zip archive, as PyTorch saves weights (.bin, .pth); convert it to safetensors first',
  },
  { start: '\x80\x02', is: 'is a Python pickle, as old PyTorch saves weights; convert it to safetensors first' },
  { start: '\x89HDF', is: "is an HDF5 file, as TensorFlow saves weights; use the model's safetensors" },
  { start: '\x1f\x8b', is: 'is compressed with gzip; unpack it first' },
  { start: '\x28\xb5\x2f\xfd', is: 'is compressed with zstd; unpack it first' },
  { start: 'lmgg', is: 'is a GGML file from before GGUF; convert the model again' },
  { start: 'fmgg', is: 'is a GGML file from before GGUF; convert the model again' },
  { start: 'tjgg', is: 'is a GGML file from before GGUF; convert the model again' },
  { start: '\xff\xfe', is: 'is text in UTF-16; save it as UTF-8' },
  { start: '\xfe\xff', is: 'is text in UTF-16; save it as UTF-8' },
]

async function firstBytes(source: ByteSource): Promise<Uint8Array> {
  return source.read(0, Math.min(START, source.size))
}

function headerLength(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true)
}

function startsWith(bytes: Uint8Array, start: string): boolean {
  return bytes.length >= start.length && [...start].every((character, i) => bytes[i] === character.charCodeAt(0))
}

function asText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
