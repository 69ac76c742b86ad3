/** A folder of cells that have learned: NAME.f32, all numbers, and then NAME.json, so that the second is there only with the first. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { OptionError } from 'latentkit'
import { whole, writeNumbers } from '../ladder/files.mjs'

/** Path of its files, without an ending. */
function placeOf(folder, cell) {
  return join(folder, cell.replaceAll('/', '.'))
}

export function resultFile(folder, cell) {
  return `${placeOf(folder, cell)}.json`
}

/** Null: it is not there. */
export async function readResult(folder, cell) {
  const text = await readFile(resultFile(folder, cell), 'utf8').catch(() => null)
  return text === null ? null : JSON.parse(text)
}

export async function keepResult(folder, result, numbers) {
  await writeNumbers(`${placeOf(folder, result.cell)}.f32`, numbers)
  await whole(resultFile(folder, result.cell), `${JSON.stringify(result)}\n`)
}

/** Path of a cell's numbers. Throws OptionError where they are not there. */
export async function numbersFile(folder, cell) {
  const path = `${placeOf(folder, cell)}.f32`
  const found = await stat(path).catch(() => null)
  if (found?.isFile()) return path
  throw new OptionError(
    `there is no ${path}; learn that cell first (latentkit grid capacity ${cell} --out ${folder}), without a ${resultFile(folder, cell)}`,
  )
}
