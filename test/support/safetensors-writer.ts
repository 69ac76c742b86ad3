import { SAFETENSORS_BITS, type SafetensorsDType } from '../../src/checkpoint/safetensors/dtypes.ts'

export interface TensorToWrite {
  readonly dtype: SafetensorsDType
  readonly shape: readonly number[]
  /** Default: zeros. */
  readonly bytes?: Uint8Array
}

/** A safetensors file with the tensors in the given order, as the format's document says. */
export function writeSafetensors(
  tensors: Readonly<Record<string, TensorToWrite>> | Map<string, TensorToWrite>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const entries: [string, TensorToWrite][] = tensors instanceof Map ? [...tensors] : Object.entries(tensors)
  const members = metadata ? [`"__metadata__":${JSON.stringify(metadata)}`] : []
  const parts: Uint8Array[] = []
  let at = 0
  for (const [name, { dtype, shape, bytes }] of entries) {
    const length = (shape.reduce((n, d) => n * d, 1) * SAFETENSORS_BITS[dtype]) / 8
    const data_offsets = [at, at + length]
    members.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets })}`)
    parts.push(bytes ?? new Uint8Array(length))
    at += length
  }
  return withHeader(`{${members.join(',')}}`, concat(parts))
}

/** A file with any text as its header, for malformed files. */
export function withHeader(header: string | Uint8Array, data: Uint8Array = new Uint8Array()): Uint8Array<ArrayBuffer> {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true)
  return concat([length, text, data])
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
