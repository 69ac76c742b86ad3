import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes of a model's weights in its files; 0 for a model that is not on this disk. */
export async function sizeOnDisk(source: string): Promise<number> {
  const found = await stat(source).catch(() => null)
  if (!found) return 0
  if (found.isFile()) return found.size
  const files = (await readdir(source)).filter(name => /\.(safetensors|gguf)$/.test(name))
  const sizes = await Promise.all(files.map(async name => (await stat(join(source, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
