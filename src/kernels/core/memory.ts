import {
  CheckpointError,
  DisposedError,
  LatentkitError,
  ModelFileChangedError,
  OutOfMemoryError,
} from '../../errors.ts'
import type { ByteRange } from '../../tensor/bytes.ts'
import type { DType } from '../../tensor/dtype.ts'
import { byteLength, elementCount, type Tensor, type TypedArray, tensorAt } from '../../tensor/tensor.ts'
import type { Recording } from '../contract/kernels.ts'
import type { KernelMemory, MemoryBlock } from '../contract/memory.ts'
import { expectContiguous, fail } from '../operations/check.ts'
import { BlockDirectory } from './block-directory.ts'
import type { CommandList } from './command-list.ts'
import type { CoreHost, MappedFile } from './host.ts'
import { cutIntoParts } from './parts.ts'
import { Pieces } from './pieces.ts'
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

/** What is smaller the C library gives; what is larger the core takes from the system in large pages by itself. */
const IN_PIECES = { from: 128 << 10, to: 8 << 20 }

/** The `RunResult` of a list that read a mapped file which has changed: nothing it wrote may be used. */
const FILE_CHANGED = 3

/** What a kernel set has taken of the core's memory, the files it has mapped, and the lists that run on both. */
export class CoreMemory implements KernelMemory {
  #host: CoreHost | null
  readonly #allocations = new Map<number, number>()
  readonly #files = new Map<string, MappedFile | null>()
  /** Of blocks and tensors, and of weights, which stay. null: the host's memory is one piece. */
  readonly #pieces: Pieces | null
  readonly #weights: Pieces | null
  /** Elements of the tensors that were copied, which are checked once: a step's come again with every token. */
  readonly #counts = new WeakMap<Tensor, number>()
  #directory: BlockDirectory | null = null
  /** Where set, it learns what every operation took. */
  profile: Profile | null = null
  #bytes = 0
  #failure: ModelFileChangedError | null = null

  constructor(host: CoreHost) {
    this.#host = host
    this.#pieces = host.lazy ? new Pieces(host) : null
    this.#weights = host.lazy ? new Pieces(host) : null
  }

  /** Throws after `dispose`. */
  get host(): CoreHost {
    if (!this.#host) throw new DisposedError('kernel set')
    return this.#host
  }

  get allocatedBytes(): number {
    return this.#bytes
  }

  /** Why nothing can be run any more; null while it can. */
  get failure(): ModelFileChangedError | null {
    return this.#failure
  }

  alloc(dtype: DType, shape: readonly number[]): Tensor {
    const bytes = byteLength(dtype, shape)
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new RangeError(`alloc: ${dtype} [${shape.join(', ')}] has no size`)
    }
    const { host } = this
    const address = this.#piecesFor(bytes)?.allocate(bytes) ?? host.allocate(bytes)
    this.#allocations.set(address, bytes)
    this.#bytes += bytes
    return tensorAt(address, dtype, [...shape])
  }

  allocBlock(bytes: number): MemoryBlock {
    const memory = this.alloc('u8', [bytes])
    try {
      return { id: this.directory.add(memory.address), memory }
    } catch (error) {
      this.free(memory)
      throw error
    }
  }

  freeBlock({ id, memory }: MemoryBlock): void {
    this.free(memory)
    this.directory.remove(id)
  }

  /** Of blocks by id, made when it is first asked for. */
  get directory(): BlockDirectory {
    this.#directory ??= new BlockDirectory(this.host)
    return this.#directory
  }

  /** For a matrix that lives until `dispose`: side by side with others. */
  allocWeight(bytes: number): number {
    if (!this.#weights || bytes >= IN_PIECES.to) return this.alloc('u8', [bytes]).address
    this.#bytes += bytes
    return this.#weights.allocate(bytes)
  }

  #piecesFor(bytes: number): Pieces | null {
    return bytes >= IN_PIECES.from && bytes < IN_PIECES.to ? this.#pieces : null
  }

  free(tensor: Tensor): void {
    const bytes = this.#allocations.get(tensor.address)
    if (bytes === undefined) throw new RangeError('free: this tensor is a view, or was freed before')
    const { host } = this
    const pieces = this.#piecesFor(bytes)
    if (pieces) pieces.release(tensor.address)
    else host.release(tensor.address)
    this.#allocations.delete(tensor.address)
    this.#bytes -= bytes
  }

  upload(tensor: Tensor, data: TypedArray): void {
    const count = this.#countOf('upload', tensor)
    expectArray('upload: data', tensor, count, data)
    this.host.write(tensor.address, bytesOf(data))
  }

  async read(tensor: Tensor, into?: TypedArray): Promise<TypedArray> {
    return this.readNow(tensor, into)
  }

  readNow(tensor: Tensor, into?: TypedArray): TypedArray {
    const count = this.#countOf('read', tensor)
    const data = into ?? new ARRAYS[tensor.dtype](count)
    if (into) expectArray('read: into', tensor, count, into)
    this.host.read(tensor.address, bytesOf(data))
    return data
  }

  /** The elements of a tensor, which must be contiguous. */
  #countOf(what: string, tensor: Tensor): number {
    const known = this.#counts.get(tensor)
    if (known !== undefined) return known
    expectContiguous(what, tensor)
    const count = elementCount(tensor.shape)
    this.#counts.set(tensor, count)
    return count
  }

  run(list: CommandList): void {
    try {
      this.#run(list.data, list.length)
    } finally {
      list.clear()
    }
  }

  /** In parts, with a pause between two; what `pause` throws ends it. */
  async runInParts(list: CommandList, pause: () => Promise<void>): Promise<void> {
    const taken = list.take()
    let begin = 0
    for (const end of cutIntoParts(taken)) {
      if (begin > 0) await pause()
      this.#run(taken.subarray(begin, end), end - begin)
      begin = end
    }
  }

  /** What ran last of a list. */
  recording(list: CommandList): Recording {
    const data = list.data.slice(0, list.lastLength)
    const run = async () => {
      if (list.length > 0) throw new RangeError('recording: operations have been recorded since the last submit')
      this.#run(data, data.length)
    }
    return { run }
  }

  #run(list: Float64Array, length: number): void {
    if (this.#failure) throw this.#failure
    const { profile } = this
    const result = this.host.run(list, length, profile?.secondsFor(length))
    if (result === FILE_CHANGED) {
      this.#failure = changedError(this.#changedFile())
      throw this.#failure
    }
    checkRun(result)
    profile?.add(list, length)
  }

  #changedFile(): string {
    const files = [...this.#files].filter(([, file]) => file && this.host.changed?.(file.address))
    return files.map(([path]) => path).join(' and ') || 'A file of the model'
  }

  /** Where a range of a file lies in memory; null if it cannot be mapped or is not aligned. */
  mapped(range: ByteRange, alignment: number): number | null {
    const { source, offset, length } = range
    if (!source.path) return null
    const file = this.#file(source.path)
    if (!file) return null
    // The places of its tensors were read before: from this very file?
    if (source.modified !== undefined && (!sameTime(file.modified, source.modified) || file.bytes !== source.size)) {
      throw changedError(source.path)
    }
    if (offset + length > file.bytes) {
      throw new CheckpointError(
        `${source.path} has ${file.bytes} bytes, but a tensor lies at ${offset} to ${offset + length}: the file is cut off.`,
      )
    }
    const address = file.address + offset
    return address % alignment === 0 ? address : null
  }

  /** Whether something lies in a mapped file, and not in memory of its own. */
  isMapped(address: number): boolean {
    for (const file of this.#files.values()) {
      if (file && address >= file.address && address < file.address + file.bytes) return true
    }
    return false
  }

  /** A range that lists will read where it is mapped: from now on `run` throws when the file changes. */
  watch({ source }: ByteRange): void {
    const file = source.path ? this.#files.get(source.path) : null
    if (file) this.host.watch?.(file.address)
  }

  /** Throws ModelFileChangedError if the file of a range that was read where it is mapped has changed since. */
  expectUnchanged({ source }: ByteRange): void {
    const file = source.path ? this.#files.get(source.path) : null
    if (file && this.host.changed?.(file.address)) throw changedError(source.path as string)
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

/** Throws for a result other than 0. */
function checkRun(result: number): void {
  if (result === 0) return
  if (result === 1) throw new OutOfMemoryError('The kernels cannot have the scratch memory that this step needs.')
  if (result === 4) {
    throw new LatentkitError(
      'internal',
      'This module of the core is for texts alone: training takes kernels with `training: true`.',
    )
  }
  throw new LatentkitError('internal', `The core refused a command list (${result}): this is a bug in latentkit.`)
}

function expectArray(what: string, { dtype }: Tensor, n: number, data: TypedArray): void {
  if (data instanceof ARRAYS[dtype] && data.length === n) return
  fail(what, `${data.constructor.name} of ${data.length}`, `${ARRAYS[dtype].name} of ${n}`)
}

/** In nanoseconds; Deno's clock of files counts milliseconds. */
function sameTime(mapped: bigint, read: bigint): boolean {
  const MILLISECOND = 1_000_000n
  return mapped === read || (read % MILLISECOND === 0n && mapped / MILLISECOND === read / MILLISECOND)
}

function changedError(files: string): ModelFileChangedError {
  return new ModelFileChangedError(
    `${files} was cut or written to while the model was loading or in use. Nothing that was computed from it is given out: ` +
      'load the model again. To replace a file safely, write another one and rename it.',
  )
}

function bytesOf(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
