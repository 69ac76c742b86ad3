/** Vectors as NumPy's file of one array. */
import { npyHeader } from '../output/npy-header.ts'
import { write } from '../output/stdout.ts'
import { writeWhole } from '../output/whole-file.ts'

/** f32 [vectors, numbers of each]. */
function npyOf(vectors: readonly Float32Array[], width: number): Uint8Array {
  const header = npyHeader({ dtype: 'f32', shape: [vectors.length, width] })
  const file = new Uint8Array(header.length + 4 * width * vectors.length)
  const view = new DataView(file.buffer)
  file.set(header)
  let at = header.length
  for (const vector of vectors) {
    for (const x of vector) {
      view.setFloat32(at, x, true)
      at += 4
    }
  }
  return file
}

/** `-` is standard output. A file is there whole or not at all. */
export async function writeNpy(path: string, vectors: readonly Float32Array[], width: number): Promise<void> {
  const bytes = npyOf(vectors, width)
  if (path === '-') await write(bytes)
  else await writeWhole(path, append => append(bytes))
}
