/**
 * Where the files of blocks are: a folder on disk (`cache/disk`), or one of the browser's (`cache/opfs`). Paths are relative to it,
 * with `/` between folders. Methods throw what the system does.
 */
export interface BlockPlace {
  /** A path as people know it. */
  show(path: string): string
  /** Called before a model's folder is first used. */
  open?(folder: string): Promise<void>
  /** What is in a folder; nothing where there is none. */
  names(folder: string): Promise<readonly string[]>
  /** Null: there is no such file. */
  stat(path: string): Promise<FileFacts | null>
  /** Null: there is no such file. */
  read(path: string): Promise<Uint8Array | null>
  /** Puts a file in its place whole or not at all, with the folders that are missing. */
  write(path: string, bytes: Uint8Array): Promise<void>
  /** Sets the time of last use, in milliseconds since 1970; where times cannot be set, to the present. */
  touch(path: string, time: number): Promise<void>
  /** Removes a file, or a folder with what is in it. */
  remove(path: string): Promise<void>
  /** Bytes that the blocks may have here, where they now have `bytes`. Default: no bound of its own. */
  limit?(bytes: number): Promise<number>
  /** Whether waiting will not help. */
  isPermanent(error: unknown): boolean
}

export interface FileFacts {
  readonly bytes: number
  /** Time of last use, in milliseconds since 1970. */
  readonly usedAt: number
}
