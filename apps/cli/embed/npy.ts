/** NumPy's file of one array (NEP 1): magic, version, a header of multiples of 64 bytes, little-endian numbers. */
import { rename, rm, writeFile } from 'node:fs/promises'
import { beginPartial, endPartial, fileTarget } from '../../../src/for-apps.ts'
import { CliError } from '../exit.ts'
import { write } from '../output/stdout.ts'

/** f32 [vectors, numbers of each]. */
function npyOf(vectors: readonly Float32Array[], width: number): Uint8Array {
  const shape = `(${vectors.length}, ${width})`
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10
  const file = new Uint8Array(10 + length + 4 * width * vectors.length)
  const view = new DataView(file.buffer)
  file.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0])
  view.setUint16(8, length, true)
  file.set(new TextEncoder().encode(`${dictionary.padEnd(length - 1)}\n`), 10)
  let at = 10 + length
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
  if (path === '-') return write(npyOf(vectors, width))
  try {
    const target = await fileTarget(path)
    const partial = `${target}.${process.pid}.new`
    beginPartial(partial)
    try {
      await writeFile(partial, npyOf(vectors, width))
      await rename(partial, target)
    } finally {
      endPartial(partial)
      await rm(partial, { force: true })
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new CliError(`${path} cannot be written: ${code === 'ENOENT' ? 'its folder is not there' : message}`)
  }
}
