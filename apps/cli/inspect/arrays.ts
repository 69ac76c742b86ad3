/** Arrays by name, whose numbers come while they are written. */

export interface NamedArray {
  readonly name: string
  readonly dtype: 'f32' | 'i64'
  readonly shape: readonly number[]
  /** The numbers in order, little-endian, in any number of pieces. */
  data(): AsyncIterable<Float32Array | BigInt64Array>
}

export function bytesOfArray({ dtype, shape }: NamedArray): number {
  return shape.reduce((n, d) => n * d, dtype === 'f32' ? 4 : 8)
}

/** The array's bytes, piece by piece. Throws Error where more or fewer come than the shape says. */
export async function* pieces(array: NamedArray): AsyncGenerator<Uint8Array, void, void> {
  const expected = bytesOfArray(array)
  let met = 0
  for await (const { buffer, byteOffset, byteLength } of array.data()) {
    met += byteLength
    yield new Uint8Array(buffer, byteOffset, byteLength)
  }
  if (met !== expected) throw new Error(`${array.name} has ${met} bytes; its shape says ${expected}`)
}
