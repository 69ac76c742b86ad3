/** Where bytes come from: a file on disk, a Blob, a buffer. Reading past the end is an error of the source. */
export interface ByteSource {
  /** For messages: a path or a name. */
  readonly name: string
  /** In bytes. */
  readonly size: number
  /** A file that the native kernels may map; absent where there is no file system. */
  readonly path?: string
  /**
   * When the file was written last, in nanoseconds since 1970, as of when it was opened: with `size` it tells whether
   * another reader of `path` sees the same file. Absent where there is no file system.
   */
  readonly modified?: bigint
  /** A copy of `length` bytes from `offset`. */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** A contiguous run of bytes in a source: one tensor of a checkpoint. */
export interface ByteRange {
  readonly source: ByteSource
  readonly offset: number
  readonly length: number
}
