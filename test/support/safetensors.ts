import { readFileSync } from 'node:fs'

export interface FixtureTensor {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data: Float32Array | Float64Array | Int32Array | Uint16Array | Uint8Array
}

/** For fixtures only: trusts the file, and is independent of `src/checkpoint`. 64-bit integers become i32. */
export function readSafetensors(path: string | URL): Map<string, FixtureTensor> {
  const file = readFileSync(path)
  const headerLength = Number(file.readBigUInt64LE(0))
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >
  const tensors = new Map<string, FixtureTensor>()
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const [start, end] = data_offsets.map(offset => offset + 8 + headerLength)
    const bytes = Uint8Array.from(file.subarray(start, end))
    tensors.set(name, { dtype, shape, data: typed(dtype, bytes) })
  }
  return tensors
}

function typed(dtype: string, bytes: Uint8Array<ArrayBuffer>): FixtureTensor['data'] {
  switch (dtype) {
    case 'F32':
      return new Float32Array(bytes.buffer)
    case 'F64':
      return new Float64Array(bytes.buffer)
    case 'I32':
      return new Int32Array(bytes.buffer)
    case 'I64':
      return Int32Array.from(new BigInt64Array(bytes.buffer), Number)
    case 'U16':
    case 'F16':
    case 'BF16':
      return new Uint16Array(bytes.buffer)
    case 'U8':
    case 'BOOL':
    case 'F8_E4M3':
      return bytes
    default:
      throw new Error(`fixture of dtype ${dtype}`)
  }
}
