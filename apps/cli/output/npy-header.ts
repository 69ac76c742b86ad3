/** The beginning of NumPy's file of one array (NEP 1): magic, version, a header of multiples of 64 bytes. Little-endian numbers follow. */
interface Numbers {
  readonly dtype: 'f32' | 'i64'
  readonly shape: readonly number[]
}

export function npyHeader({ dtype, shape }: Numbers): Uint8Array {
  const axes = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const dictionary = `{'descr': '${dtype === 'f32' ? '<f4' : '<i8'}', 'fortran_order': False, 'shape': ${axes}, }`
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10
  const header = new Uint8Array(10 + length)
  header.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0])
  new DataView(header.buffer).setUint16(8, length, true)
  header.set(new TextEncoder().encode(`${dictionary.padEnd(length - 1)}\n`), 10)
  return header
}
