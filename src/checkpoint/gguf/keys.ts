/** The key-value pairs of a GGUF file and their bytes. */
import { bytesOfText } from '../../byte-text.ts'
import type { MetadataValue } from './metadata-values.ts'

/** Numbers that stand in files for the types of values. */
const TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const

type Scalar = Exclude<keyof typeof TYPE, 'array'>

export type GgufValue =
  | { readonly type: 'u32' | 'i32' | 'f32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly of: 'u32' | 'i32' | 'f32'; readonly value: readonly number[] }
  | { readonly type: 'array'; readonly of: 'bool'; readonly value: readonly boolean[] }
  | { readonly type: 'array'; readonly of: 'string'; readonly value: readonly string[] }

/** The keys of a file, in their order. `{arch}` in a name stands for the architecture; what is undefined is left out. */
export class GgufKeys {
  readonly architecture: string
  readonly entries = new Map<string, GgufValue>()

  constructor(architecture: string) {
    this.architecture = architecture
    this.string('general.architecture', architecture)
  }

  u32(key: string, value: number | undefined): void {
    if (value !== undefined) this.#set(key, { type: 'u32', value })
  }

  i32(key: string, value: number | undefined): void {
    if (value !== undefined) this.#set(key, { type: 'i32', value })
  }

  f32(key: string, value: number | undefined): void {
    if (value !== undefined) this.#set(key, { type: 'f32', value })
  }

  bool(key: string, value: boolean | undefined): void {
    if (value !== undefined) this.#set(key, { type: 'bool', value })
  }

  string(key: string, value: string | undefined): void {
    if (value !== undefined) this.#set(key, { type: 'string', value })
  }

  strings(key: string, value: readonly string[]): void {
    this.#set(key, { type: 'array', of: 'string', value })
  }

  bools(key: string, value: readonly boolean[]): void {
    this.#set(key, { type: 'array', of: 'bool', value })
  }

  numbers(key: string, of: 'u32' | 'i32' | 'f32', value: readonly number[]): void {
    this.#set(key, { type: 'array', of, value })
  }

  /** As a reader of the file would have them: f32 rounded. */
  asRead(): Map<string, MetadataValue> {
    const rounded = (v: GgufValue): MetadataValue => {
      if (v.type === 'f32') return Math.fround(v.value)
      if (v.type === 'array' && v.of === 'f32') return Float32Array.from(v.value)
      if (v.type === 'array' && v.of === 'bool') return Uint8Array.from(v.value, Number)
      return v.value as MetadataValue
    }
    return new Map([...this.entries].map(([key, value]) => [key, rounded(value)]))
  }

  #set(key: string, value: GgufValue): void {
    this.entries.set(key.replace('{arch}', this.architecture), value)
  }
}

/** Grows as it is written to. */
export class ByteWriter {
  #bytes = new Uint8Array(1 << 16)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** A view of what was written: valid until more is. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  u32(value: number): void {
    const at = this.#take(4)
    this.#view.setUint32(at, value, true)
  }

  u64(value: number): void {
    const at = this.#take(8)
    this.#view.setBigUint64(at, BigInt(value), true)
  }

  text(text: string): void {
    const bytes = bytesOfText(text)
    this.u64(bytes.length)
    const at = this.#take(bytes.length)
    this.#bytes.set(bytes, at)
  }

  zerosTo(length: number): void {
    this.#take(length - this.#length)
  }

  value(value: GgufValue): void {
    this.u32(TYPE[value.type])
    if (value.type !== 'array') {
      this.#scalar(value.type, value.value)
      return
    }
    this.u32(TYPE[value.of])
    this.u64(value.value.length)
    for (const element of value.value) this.#scalar(value.of, element)
  }

  #scalar(type: Scalar, value: number | boolean | string): void {
    if (type === 'string') {
      this.text(value as string)
      return
    }
    const at = this.#take(type === 'bool' ? 1 : 4) // may move the bytes, so before the view is asked for
    if (type === 'bool') this.#view.setUint8(at, value ? 1 : 0)
    else if (type === 'f32') this.#view.setFloat32(at, value as number, true)
    else if (type === 'i32') this.#view.setInt32(at, value as number, true)
    else this.#view.setUint32(at, value as number, true)
  }

  /** Where the next `count` bytes begin; they are zeros. */
  #take(count: number): number {
    const at = this.#length
    this.#length += count
    if (this.#length > this.#bytes.length) {
      const more = new Uint8Array(2 * this.#length)
      more.set(this.#bytes)
      this.#bytes = more
      this.#view = new DataView(more.buffer)
    }
    return at
  }
}
