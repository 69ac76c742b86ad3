/** Where the core runs and where its memory is: the Node addon, or a WebAssembly module. */
export interface CoreHost {
  readonly name: 'native' | 'wasm'
  readonly isa: string
  readonly threads: number
  /** Zeroed, 64-byte aligned. Throws OutOfMemoryError. */
  allocate(bytes: number): number
  release(address: number): void
  /** Copies bytes into the core's memory. */
  write(address: number, bytes: Uint8Array): void
  /** Copies bytes out of the core's memory. */
  read(address: number, bytes: Uint8Array): void
  /**
   * Runs a command list; returns a `RunResult` of native/core/pool.h. Where the host has a clock, the seconds of the
   * i-th record are added to `seconds[i]`.
   */
  run(list: Float64Array, length: number, seconds?: Float64Array): number
  /** A whole file in memory, read-only. Absent where there is no file system. */
  map?(path: string): MappedFile
  /** From now on, lists read the file mapped at `address`: `run` says so when it changes on disk. */
  watch?(address: number): void
  /** Whether the file mapped at `address` is another by now. */
  changed?(address: number): boolean
  /** Lets pages of a mapped file go that are not needed for now. */
  forget?(address: number, bytes: number): void
  /** Whether memory is resident only where it has been written. */
  readonly lazy: boolean
  dispose(): void
}

export interface MappedFile {
  readonly address: number
  readonly bytes: number
  /** When the file was written last, in nanoseconds since 1970. */
  readonly modified: bigint
}
