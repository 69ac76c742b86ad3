import { readdir, realpath, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { TrainingError } from '../errors.ts'

const TEXTS = new Set(['.txt', '.md', '.text', '.raw', '.tokens', '.jsonl'])

/**
 * The file itself, or the files of texts in a folder and in those below it, by rising names. Links are followed. Throws TrainingError for what
 * is not there, a folder without texts, and a link that leads back into a folder that it is in.
 */
export async function filesOf(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined)
  if (!found) throw new TrainingError(`${path} is not there; expected a file of texts or a folder of them`)
  if (!found.isDirectory()) return [path]
  const files = await filesIn(path, [])
  if (files.length === 0) {
    throw new TrainingError(`${path} has no file of texts; expected names that end in ${[...TEXTS].join(', ')}`)
  }
  return files.sort()
}

/** `above`: the folders on the way here, as they are without links. */
async function filesIn(folder: string, above: readonly string[]): Promise<string[]> {
  const real = await realpath(folder)
  if (above.includes(real)) {
    throw new TrainingError(`${folder} is a link to a folder that it is in, so its texts have no end; remove the link`)
  }
  const files: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    const isText = TEXTS.has(extname(entry.name))
    const there = entry.isSymbolicLink() ? await stat(path).catch(() => null) : entry
    if (!there && isText) throw new TrainingError(`${path} is a link to a file that is not there; remove it or mend it`)
    if (there?.isDirectory()) files.push(...(await filesIn(path, [...above, real])))
    else if (there?.isFile() && isText) files.push(path)
  }
  return files
}
