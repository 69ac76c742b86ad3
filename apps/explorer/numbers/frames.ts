/**
 * Values as bytes, exactly: JSON, and behind it the arrays of numbers as they lie in memory (little-endian). A frame is the length of
 * its head in bytes (u32), the length of what follows the head (u32), the head, and each array on a multiple of 8 bytes.
 */

type Path = readonly (string | number)[]

const ARRAYS = { Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array } as const
type ArrayName = keyof typeof ARRAYS
type NumberArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array

interface Head {
  readonly value: unknown
  /** Arrays by their place in the value, in the order of their bytes. */
  readonly arrays: readonly (readonly [at: Path, type: ArrayName, length: number])[]
  /** Numbers that JSON has no words for: `NaN`, `Infinity`, `-0`. */
  readonly numbers: readonly (readonly [at: Path, number: string])[]
}

const PREFIX = 8
const MAX_HEAD = 2 ** 28

/** The bytes of a value of plain data, as pieces, of which the arrays are not copied. */
export function encodeFrame(value: unknown): Uint8Array[] {
  const numbers: Head['numbers'][number][] = []
  const found: { readonly at: Path; readonly array: NumberArray }[] = []
  const plain = (part: unknown, at: Path): unknown => {
    if (typeof part === 'number' && (!Number.isFinite(part) || Object.is(part, -0))) {
      numbers.push([at, Object.is(part, -0) ? '-0' : String(part)])
      return null
    }
    if (typeof part !== 'object' || part === null) return part
    if (ArrayBuffer.isView(part)) {
      found.push({ at, array: part as NumberArray })
      return null
    }
    if (Array.isArray(part)) return part.map((one, i) => plain(one, [...at, i]))
    return Object.fromEntries(Object.entries(part).map(([name, one]) => [name, plain(one, [...at, name])]))
  }
  const arrays = () => found.map(({ at, array }) => [at, nameOf(array), array.length] as const)
  const head: Head = { value: plain(value, []) ?? null, arrays: arrays(), numbers }
  const text = new TextEncoder().encode(JSON.stringify(head))
  const body = found.flatMap(({ array }) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    const gap = padded(bytes.length) - bytes.length
    return gap > 0 ? [bytes, new Uint8Array(gap)] : [bytes]
  })
  const first = new Uint8Array(PREFIX + text.length)
  const lengths = new DataView(first.buffer)
  lengths.setUint32(0, text.length, true)
  lengths.setUint32(
    4,
    body.reduce((n, piece) => n + piece.length, 0),
    true,
  )
  first.set(text, PREFIX)
  return [first, ...body]
}

function nameOf(array: NumberArray): ArrayName {
  const name = array.constructor.name.replace(/^Buffer$/, 'Uint8Array')
  if (name in ARRAYS) return name as ArrayName
  throw new TypeError(`A ${name} has no place in a frame`)
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8
}

/** The values of a stream of frames. `read` gives its bytes as they come, and undefined at its end. Throws where one is cut off. */
export async function* readFrames(read: () => Promise<Uint8Array | undefined>): AsyncGenerator<unknown, void, void> {
  let left: Uint8Array = new Uint8Array(0)
  /** So many bytes; undefined at the end of the stream. */
  const take = async (count: number): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    const taken = new Uint8Array(count)
    let have = 0
    while (have < count) {
      if (left.length === 0) {
        const next = await read()
        if (next === undefined) {
          if (have === 0) return undefined
          throw cutOff()
        }
        left = next
        continue
      }
      const some = left.subarray(0, count - have)
      taken.set(some, have)
      have += some.length
      left = left.subarray(some.length)
    }
    return taken
  }
  for (;;) {
    const prefix = await take(PREFIX)
    if (prefix === undefined) return
    const lengths = new DataView(prefix.buffer)
    const headBytes = lengths.getUint32(0, true)
    if (headBytes > MAX_HEAD) throw new Error('What was answered is no frame')
    const head = await take(headBytes)
    const bodyBytes = lengths.getUint32(4, true)
    const body = bodyBytes === 0 ? new Uint8Array(0) : await take(bodyBytes)
    if (head === undefined || body === undefined) throw cutOff()
    yield decoded(JSON.parse(new TextDecoder().decode(head)) as Head, body.buffer)
  }
}

function cutOff(): Error {
  return new Error('The answer ended before it was whole')
}

/** Arrays are views of the frame's own bytes. */
function decoded({ value, arrays, numbers }: Head, body: ArrayBuffer): unknown {
  const whole = { value }
  const put = (at: Path, part: unknown) => {
    let holder = whole as unknown as Record<string | number, unknown>
    let name: string | number = 'value'
    for (const next of at) {
      holder = holder[name] as Record<string | number, unknown>
      name = next
    }
    holder[name] = part
  }
  let offset = 0
  for (const [at, type, length] of arrays) {
    const array = new ARRAYS[type](body, offset, length)
    offset += padded(array.byteLength)
    put(at, array)
  }
  for (const [at, number] of numbers) put(at, Number(number))
  return whole.value
}
