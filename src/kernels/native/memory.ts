import { CheckpointError, DisposedError } from '../../errors.ts'
import type { ByteRange } from '../../tensor/bytes.ts'
import type { DType } from '../../tensor/dtype.ts'
import { byteLength, elementCount, isContiguous, type Tensor, type TypedArray, tensorAt } from '../../tensor/tensor.ts'
import type { Recording } from '../contract.ts'
import { describe, fail } from './check.ts'
import type { CommandList } from './command-list.ts'
import { type CoreHost, checkRun, type MappedFile } from './host.ts'
import type { Profile } from './profile.ts'

const ARRAYS = {
  f32: Float32Array,
  f64: Float64Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  i32: Int32Array,
  e4m3: Uint8Array,
  u8: Uint8Array,
}

/** Memory for weights is taken from the system in pieces of this size, which it backs with large pages. */
const WEIGHT_PIECE = 64 << 20

/** What a kernel set has taken of the core's memory, and the files it has mapped. */
export class CoreMemory {
  #host: CoreHost | null
  readonly #allocations = new Map<number, number>()
  readonly #files = new Map<string, MappedFile | null>()
  #weights = { next: 0, end: 0 }
  #bytes = 0

  constructor(host: CoreHost) {
    this.#host = host
  }

  /** Throws after `dispose`. */
  get host(): CoreHost {
    if (!this.#host) throw new DisposedError('kernel set')
    return this.#host
  }

  get bytes(): number {
    return this.#bytes
  }

  alloc(dtype: DType, shape: readonly number[]): Tensor {
    const bytes = byteLength(dtype, shape)
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new RangeError(`alloc: ${dtype} [${shape.join(', ')}] has no size`)
    }
    const address = this.host.allocate(bytes)
    this.#allocations.set(address, bytes)
    this.#bytes += bytes
    return tensorAt(address, dtype, [...shape])
  }

  /**
   * For a matrix that lives until `dispose`: side by side with others, because small matrices on small pages are read a
   * fifth slower (measured).
   */
  allocWeight(bytes: number): number {
    const { host } = this
    const rounded = Math.ceil(bytes / 64) * 64
    if (!host.lazy || rounded > WEIGHT_PIECE / 4) return this.alloc('u8', [bytes]).address
    if (this.#weights.next + rounded > this.#weights.end) {
      const next = host.allocate(WEIGHT_PIECE)
      this.#weights = { next, end: next + WEIGHT_PIECE }
    }
    const address = this.#weights.next
    this.#weights.next += rounded
    this.#bytes += bytes
    return address
  }

  free(tensor: Tensor): void {
    const bytes = this.#allocations.get(tensor.address)
    if (bytes === undefined) throw new RangeError('free: this tensor is a view, or was freed before')
    this.host.release(tensor.address)
    this.#allocations.delete(tensor.address)
    this.#bytes -= bytes
  }

  upload(tensor: Tensor, data: TypedArray): void {
    const n = elementCount(tensor.shape)
    if (!isContiguous(tensor)) fail('upload', describe(tensor), 'a contiguous tensor')
    if (!(data instanceof ARRAYS[tensor.dtype]) || data.length !== n) {
      fail('upload: data', `${data.constructor.name} of ${data.length}`, `${ARRAYS[tensor.dtype].name} of ${n}`)
    }
    this.host.write(tensor.address, bytesOf(data))
  }

  read(tensor: Tensor): TypedArray {
    if (!isContiguous(tensor)) fail('read', describe(tensor), 'a contiguous tensor')
    const data = new ARRAYS[tensor.dtype](elementCount(tensor.shape))
    this.host.read(tensor.address, bytesOf(data))
    return data
  }

  run(list: CommandList, profile?: Profile | null): void {
    this.#run(list, list.length, profile)
    list.clear()
  }

  runAgain(recording: Recording, profile?: Profile | null): void {
    this.#run(recording, recording.data.length, profile)
  }

  #run(list: Recording, length: number, profile: Profile | null | undefined): void {
    checkRun(this.host.run(list.data, length, profile?.secondsFor(length)))
    profile?.add(list, length)
  }

  /** Where a range of a file lies in memory; null if it cannot be mapped or is not aligned. */
  mapped(range: ByteRange, alignment: number): number | null {
    const { source, offset, length } = range
    if (!source.path) return null
    const file = this.#file(source.path)
    if (!file) return null
    if (offset + length > file.bytes) {
      throw new CheckpointError(
        `${source.path} has ${file.bytes} bytes, but a tensor lies at ${offset} to ${offset + length}: the file is cut off.`,
      )
    }
    const address = file.address + offset
    return address % alignment === 0 ? address : null
  }

  #file(path: string): MappedFile | null {
    const { host } = this
    const known = this.#files.get(path)
    if (known !== undefined) return known
    let file: MappedFile | null = null
    try {
      file = host.map?.(path) ?? null
    } catch {
      // A file that cannot be mapped (an empty one, an odd file system) is read instead, and reading says what is wrong.
    }
    this.#files.set(path, file)
    return file
  }

  dispose(): void {
    this.#host?.dispose()
    this.#host = null
    this.#allocations.clear()
    this.#bytes = 0
  }
}

function bytesOf(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
