/** Files of what is learned: each is written whole or not at all. */
import { readFile, rename, writeFile } from 'node:fs/promises'

export async function whole(path, bytes) {
  await writeFile(`${path}.new`, bytes)
  await rename(`${path}.new`, path)
}

/** Numbers of weights, one weight after the other, f32. */
export function writeNumbers(path, numbers) {
  return whole(path, Buffer.concat(numbers.map(one => Buffer.from(one.buffer, one.byteOffset, one.byteLength))))
}

/** The same, as weights of these lengths. Throws RangeError for a file of another size. */
export async function readNumbers(path, lengths) {
  const bytes = await readFile(path)
  const expected = 4 * lengths.reduce((sum, length) => sum + length, 0)
  if (bytes.length !== expected) throw new RangeError(`${path} has ${bytes.length} bytes; expected ${expected}`)
  let at = 0
  return lengths.map(length => {
    at += 4 * length
    return Float32Array.from({ length }, (_, i) => bytes.readFloatLE(at - 4 * length + 4 * i))
  })
}
