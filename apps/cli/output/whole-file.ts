/** A file that is written from beginning to end and is there whole or not at all. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { beginPartial, endPartial, fileTarget } from '../../../src/for-apps.ts'
import { CliError } from '../exit.ts'

/** Appends bytes. */
export type Append = (bytes: Uint8Array) => Promise<void>

/** Writes under a name beside `path`, which it takes when `work` is done. Returns the size in bytes. Throws CliError. */
export async function writeWhole(path: string, work: (append: Append) => Promise<void>): Promise<number> {
  const target = await fileTarget(path).catch(error => cannot(path, error))
  const partial = `${target}.${process.pid}.new`
  beginPartial(partial)
  try {
    const file = await open(partial, 'wx').catch(error => cannot(path, error))
    let size = 0
    try {
      await work(async bytes => {
        await writeAll(file, bytes).catch(error => cannot(path, error))
        size += bytes.length
      })
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partial, target).catch(error => cannot(path, error))
    return size
  } finally {
    await rm(partial, { force: true })
    endPartial(partial)
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten
}

function cannot(path: string, error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException
  throw new CliError(`${path} cannot be written: ${code === 'ENOENT' ? 'its folder is not there' : message}`)
}
