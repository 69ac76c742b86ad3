/** A readable source of bytes: a file on disk, a Blob, a buffer. Reading past the end throws. */
export interface ByteSource {
  /** For messages: a path or a name. */
  readonly name: string
  /** In bytes. */
  readonly size: number
  /** A file that the native kernels may map; absent if there is no file system. */
  readonly path?: string
  /**
   * The file's modification time when it was opened, in nanoseconds since 1970. Together with `size` it shows whether
   * another reader of `path` sees the same file. Absent if there is no file system.
   */
  readonly modified?: bigint
  /** Reads `length` bytes from `offset` into a new array. */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** A contiguous range of bytes in a source: one tensor of a checkpoint. */
export interface ByteRange {
  readonly source: ByteSource
  readonly offset: number
  readonly length: number
}
