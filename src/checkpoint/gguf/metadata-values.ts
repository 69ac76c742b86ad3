import type { HeaderCursor } from './cursor.ts'

/** The numbers that stand in files for the types of values. */
const ARRAY = 9
const STRING = 8
const BOOL = 7

interface Numeric {
  readonly name: string
  readonly size: number
  readonly read: (cursor: HeaderCursor) => number | bigint
  readonly array: (buffer: ArrayBuffer) => ArrayLike<number | bigint>
}

const NUMERIC: Readonly<Record<number, Numeric>> = {
  0: { name: 'u8', size: 1, read: c => c.u8(), array: b => new Uint8Array(b) },
  1: { name: 'i8', size: 1, read: c => c.i8(), array: b => new Int8Array(b) },
  2: { name: 'u16', size: 2, read: c => c.u16(), array: b => new Uint16Array(b) },
  3: { name: 'i16', size: 2, read: c => c.i16(), array: b => new Int16Array(b) },
  4: { name: 'u32', size: 4, read: c => c.u32(), array: b => new Uint32Array(b) },
  5: { name: 'i32', size: 4, read: c => c.i32(), array: b => new Int32Array(b) },
  6: { name: 'f32', size: 4, read: c => meantDecimal(c.f32()), array: b => new Float32Array(b) },
  10: { name: 'u64', size: 8, read: c => c.u64(), array: b => new BigUint64Array(b) },
  11: { name: 'i64', size: 8, read: c => c.i64(), array: b => new BigInt64Array(b) },
  12: { name: 'f64', size: 8, read: c => c.f64(), array: b => new Float64Array(b) },
}

/** Far above any vocabulary. */
const MAX_ELEMENTS = 1 << 24

/** As the file has it; integers of 64 bits are bigints, arrays of numbers typed arrays. */
export type MetadataValue = number | bigint | boolean | string | readonly string[] | ArrayLike<number | bigint>

/** Reads one value of type number `type`. `what` names the key. */
export async function readValue(cursor: HeaderCursor, type: number, what: string): Promise<MetadataValue> {
  const numeric = NUMERIC[type]
  if (numeric) {
    await cursor.need(numeric.size, what)
    return numeric.read(cursor)
  }
  switch (type) {
    case BOOL:
      await cursor.need(1, what)
      return toBoolean(cursor.u8(), cursor, what)
    case STRING:
      return readString(cursor, what)
    case ARRAY:
      return readArray(cursor, what)
    default:
      throw cursor.error(`has type ${type} for ${what}; expected 0 to 12`)
  }
}

/** u64 length, then UTF-8, or what is meant to be. */
export async function readString(cursor: HeaderCursor, what: string, limit?: number): Promise<string> {
  if (!cursor.has(8)) await cursor.need(8, what)
  const length = cursor.size(`the length of ${what}`)
  if (limit !== undefined && length > limit) throw cursor.error(`has ${length} bytes for ${what}; is it damaged?`)
  if (!cursor.has(length)) await cursor.need(length, what)
  return cursor.text(length)
}

async function readArray(cursor: HeaderCursor, what: string): Promise<MetadataValue> {
  await cursor.need(12, what)
  const type = cursor.u32()
  const count = cursor.size(`the number of elements of ${what}`)
  if (count > MAX_ELEMENTS) throw cursor.error(`has ${count} elements in ${what}; the limit is ${MAX_ELEMENTS}`)
  const numeric = NUMERIC[type]
  if (numeric || type === BOOL) {
    const size = count * (numeric?.size ?? 1)
    await cursor.need(size, what)
    const bytes = cursor.bytes(size).slice().buffer
    return numeric ? numeric.array(bytes) : new Uint8Array(bytes)
  }
  // As in llama.cpp: the format's text allows arrays of arrays, but no model has them.
  if (type !== STRING) throw cursor.error(`has elements of type ${type} in ${what}; expected numbers or strings`)
  const strings: string[] = []
  for (let i = 0; i < count; i++) strings.push(await readString(cursor, what))
  return strings
}

function toBoolean(byte: number, cursor: HeaderCursor, what: string): boolean {
  if (byte > 1) throw cursor.error(`has ${byte} for ${what}; expected 0 or 1, as it is a boolean`)
  return byte === 1
}

/** The shortest decimal that is this f32: 1e-6 was meant, not 9.999999974752427e-7. */
function meantDecimal(value: number): number {
  for (let digits = 6; digits <= 9; digits++) {
    const decimal = Number(value.toPrecision(digits))
    if (Math.fround(decimal) === value) return decimal
  }
  return value
}
