import type { ByteSource } from '../../tensor/bytes.ts'

/** A set of files by name: a folder, or files that a browser's user has picked. */
export interface CheckpointFiles {
  /** A path or a name: for messages. */
  readonly name: string
  /** All file names, without folders but those of sentence-transformers' modules (`1_Pooling/config.json`). */
  readonly names: ReadonlySet<string>
  /** The file that the user gave as the model, if it is GGUF by content; its name may lack the extension. */
  readonly gguf?: string
  /** The same for safetensors. */
  readonly safetensors?: string
  /** Called only with one of `names`. */
  open(name: string): Promise<ByteSource>
}

/** A checkpoint's files from sources in memory or in a browser, each under its `name`. */
export function filesFrom(name: string, sources: Iterable<ByteSource>): CheckpointFiles {
  const byName = new Map<string, ByteSource>()
  for (const source of sources) byName.set(source.name, source)
  return { name, names: new Set(byName.keys()), open: async file => byName.get(file) as ByteSource }
}
