import type { ByteSource } from '../../tensor/bytes.ts'

/** A set of files by name: a folder, or what a browser's user has picked. */
export interface CheckpointFiles {
  /** A path or a name: for messages. */
  readonly name: string
  /** All file names, without folders. */
  readonly names: ReadonlySet<string>
  /** The file that a user named as the model, if it is GGUF; its name may say nothing. */
  readonly gguf?: string
  /** The same, if it is safetensors. */
  readonly safetensors?: string
  /** Called only with one of `names`. */
  open(name: string): Promise<ByteSource>
}

/** Files that are in memory, or that a browser holds, as a checkpoint: each is known by its `name`. */
export function filesFrom(name: string, sources: Iterable<ByteSource>): CheckpointFiles {
  const byName = new Map<string, ByteSource>()
  for (const source of sources) byName.set(source.name, source)
  return { name, names: new Set(byName.keys()), open: async file => byName.get(file) as ByteSource }
}
