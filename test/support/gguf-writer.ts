import { concat } from './safetensors-writer.ts'

/** Type numbers of values, as the format's document has them. */
export const VALUE = {
  ...{ u8: 0, i8: 1, u16: 2, i16: 3, u32: 4, i32: 5, f32: 6, bool: 7, string: 8 },
  ...{ array: 9, u64: 10, i64: 11, f64: 12 },
} as const

type Scalar = Exclude<keyof typeof VALUE, 'array'>
export type GgufValue =
  | readonly [Scalar, number | boolean | string]
  | readonly ['array', Scalar, readonly (number | boolean | string)[]]

export interface GgufTensorToWrite {
  /** ggml's type number. */
  readonly type: number
  /** Innermost first, as in the file. */
  readonly ne: readonly number[]
  readonly bytes: Uint8Array
  /** Default: behind the one before, aligned. */
  readonly offset?: number
}

export interface GgufToWrite {
  readonly metadata?: Readonly<Record<string, GgufValue>>
  readonly tensors?: Readonly<Record<string, GgufTensorToWrite>>
  readonly version?: number
  /** Of the data; does not write the key. Default 32. */
  readonly alignment?: number
  /** In place of what there are. */
  readonly counts?: { readonly tensors?: bigint; readonly keys?: bigint }
}

/** A GGUF file as the format's document says: small ones, for tests. */
export function writeGguf(file: GgufToWrite): Uint8Array<ArrayBuffer> {
  const { metadata = {}, tensors = {}, version = 3, alignment = 32, counts = {} } = file
  const infos: GgufTensorInfo[] = []
  const data: Uint8Array[] = []
  let end = 0
  for (const [name, { type, ne, bytes, offset }] of Object.entries(tensors)) {
    const at = offset ?? Math.ceil(end / alignment) * alignment
    infos.push({ name, type, ne, offset: at })
    data.push(new Uint8Array(Math.max(0, at - end)), bytes)
    end = at + bytes.length
  }
  return concat([ggufHeader(metadata, infos, { version, alignment, counts }), ...data])
}

export interface GgufTensorInfo extends Pick<GgufTensorToWrite, 'type' | 'ne'> {
  readonly name: string
  readonly offset: number
}

/** All that comes before the tensors' data, padded. */
export function ggufHeader(
  metadata: Readonly<Record<string, GgufValue>>,
  infos: readonly GgufTensorInfo[],
  { version = 3, alignment = 32, counts = {} }: Pick<GgufToWrite, 'version' | 'alignment' | 'counts'> = {},
): Uint8Array<ArrayBuffer> {
  const header = concat([
    new TextEncoder().encode('GGUF'),
    u32(version),
    u64(counts.tensors ?? BigInt(infos.length)),
    u64(counts.keys ?? BigInt(Object.keys(metadata).length)),
    ...Object.entries(metadata).flatMap(([key, value]) => [string(key), ...typed(value)]),
    ...infos.flatMap(({ name, type, ne, offset }) => [
      ...[string(name), u32(ne.length), ...ne.map(n => u64(BigInt(n)))],
      ...[u32(type), u64(BigInt(offset))],
    ]),
  ])
  return concat([header, new Uint8Array((alignment - (header.length % alignment)) % alignment)])
}

export function string(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text)
  return concat([u64(BigInt(bytes.length)), bytes])
}

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

export function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}

function typed(value: GgufValue): Uint8Array[] {
  if (value[0] !== 'array') return [u32(VALUE[value[0]]), scalar(value[0], value[1])]
  const [, type, elements] = value
  return [
    u32(VALUE.array),
    u32(VALUE[type]),
    u64(BigInt(elements.length)),
    concat(elements.map(element => scalar(type, element))),
  ]
}

function scalar(type: Scalar, value: number | boolean | string): Uint8Array {
  if (type === 'string') return string(String(value))
  const bytes = new Uint8Array({ u8: 1, i8: 1, bool: 1, u16: 2, i16: 2, u32: 4, i32: 4, f32: 4 }[type as 'u8'] ?? 8)
  const view = new DataView(bytes.buffer)
  const number = Number(value)
  if (type === 'f32') view.setFloat32(0, number, true)
  else if (type === 'f64') view.setFloat64(0, number, true)
  else if (type === 'u64' || type === 'i64') view.setBigInt64(0, BigInt(number), true)
  else if (bytes.length === 4) view.setInt32(0, number, true)
  else if (bytes.length === 2) view.setInt16(0, number, true)
  else view.setInt8(0, number)
  return bytes
}
