import type { PickedFile } from '../../../checkpoint/web/picked-files.ts'

/** Of the web's `DataTransfer`, what is read here. */
interface Dropped {
  readonly items: ArrayLike<{ webkitGetAsEntry(): Entry | null }>
}

interface Entry {
  readonly name: string
  readonly isFile: boolean
  file?(resolve: (file: File) => void, reject: (error: unknown) => void): void
  createReader?(): { readEntries(resolve: (entries: Entry[]) => void, reject: (error: unknown) => void): void }
}

/** Folders of modules are one deep, in the folder of a model. */
const DEEPEST = 2

/**
 * The files that were dropped on a page, those in folders too, for `Engine.load`. Call it in the handler of the `drop` event,
 * before anything is awaited: later the event's data are gone.
 */
export async function droppedFiles(data: unknown): Promise<PickedFile[]> {
  const entries = Array.from((data as Dropped).items, item => item.webkitGetAsEntry())
  return (await Promise.all(entries.map(entry => (entry ? filesIn(entry, '', 0) : [])))).flat()
}

async function filesIn(entry: Entry, before: string, depth: number): Promise<PickedFile[]> {
  const path = before + entry.name
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => entry.file?.(resolve, reject))
    return [{ path, file }]
  }
  const reader = depth < DEEPEST ? entry.createReader?.() : undefined
  const files: PickedFile[] = []
  while (reader) {
    // Some browsers give 100 at a time.
    const entries = await new Promise<Entry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (entries.length === 0) break
    for (const inner of entries) files.push(...(await filesIn(inner, `${path}/`, depth + 1)))
  }
  return files
}
