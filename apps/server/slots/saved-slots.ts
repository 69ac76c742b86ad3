/** Saved slots: files of one folder, by name. No path ever comes from a request. */
import { createHash } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { makeFolder, PRIVATE_FOLDER } from '../../../src/for-apps.ts'
import { Failure, invalid } from '../failure.ts'

export interface SavedSlot {
  readonly name: string
  readonly bytes: number
  readonly savedAt: Date
}

/** Bytes; file systems take 255, and a file that is being written has a longer name. */
const LONGEST_NAME = 200
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N} ._-]*$/u
/** Files that are being written, devices of Windows, and what it cuts off. */
const RESERVED = /\.part$|^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$|[ .]$/i

/** Each salt has a folder of its own: one key's saved slots are not another's. */
export class SavedSlots {
  readonly #folder: string

  /** The folder must be there. */
  constructor(folder: string) {
    // As errors name files, which are told without it.
    this.#folder = resolve(folder)
  }

  /** The file of a name, and its folder made. Throws Failure for what is no name, and for a disk that takes no folder. */
  async fileFor(name: unknown, salt: string): Promise<string> {
    const checked = checkName(name)
    const folder = this.#folderOf(salt)
    await makeFolder(folder, { mode: PRIVATE_FOLDER }).catch(error => {
      throw diskFailure(error.code, name, 'saved', error)
    })
    return join(folder, checked)
  }

  /** The file of a name, and its bytes. Throws Failure (404) where it is not there. */
  async find(name: unknown, salt: string): Promise<{ readonly file: string; readonly bytes: number }> {
    const file = join(this.#folderOf(salt), checkName(name))
    const found = await stat(file).catch(() => null)
    if (found?.isFile()) return { file, bytes: found.size }
    throw new Failure('missing', `There is no saved slot ${JSON.stringify(name)}.`, { code: 'slot_not_found' })
  }

  /** The newest first. */
  async list(salt: string): Promise<readonly SavedSlot[]> {
    const folder = this.#folderOf(salt)
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    const names = entries.filter(entry => entry.isFile() && isName(entry.name)).map(entry => entry.name)
    const all = await Promise.all(
      names.map(async name => {
        const found = await stat(join(folder, name)).catch(() => null)
        return found ? [{ name, bytes: found.size, savedAt: found.mtime }] : []
      }),
    )
    return all.flat().sort((a, b) => b.savedAt.getTime() - a.savedAt.getTime())
  }

  /** Returns the bytes freed. Throws Failure (404; 500 for a folder that cannot be written). */
  async remove(name: unknown, salt: string): Promise<number> {
    const { file, bytes } = await this.find(name, salt)
    await rm(file, { force: true }).catch(error => {
      throw diskFailure(error.code, name, 'removed', error)
    })
    return bytes
  }

  /** No name begins with a dot, so no file is in the way of such a folder. */
  #folderOf(salt: string): string {
    if (salt === '') return this.#folder
    const digest = createHash('sha256').update(`slots ${salt}`).digest('hex').slice(0, 32)
    return join(this.#folder, `.salt-${digest}`)
  }
}

/** What a file system said (`ENOSPC` …), without the path of the folder. */
export function diskFailure(code: string, name: unknown, aim: 'saved' | 'read' | 'removed', cause: unknown): Failure {
  const failed = `${JSON.stringify(name)} was not ${aim}`
  if (FULL.has(code)) {
    return new Failure('diskFull', `The disk is full: ${failed}.`, { code: 'out_of_disk', cause })
  }
  const reason = FORBIDDEN.has(code)
    ? `the server may not ${aim === 'read' ? 'read' : 'write in'} its folder of saved slots (${code}). Whoever runs it must give it that right`
    : `its folder of saved slots gave ${code}. The server's log has more`
  return new Failure('engine', `${failed}: ${reason}.`, { code: 'slot_file', cause })
}

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])
const FORBIDDEN: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS'])

function isName(name: string): boolean {
  return (
    NAME.test(name) &&
    !RESERVED.test(name) &&
    !name.includes('..') &&
    Buffer.byteLength(name) <= LONGEST_NAME &&
    name === name.normalize('NFC')
  )
}

function checkName(name: unknown): string {
  if (typeof name === 'string' && isName(name)) return name
  const met = typeof name === 'string' ? JSON.stringify(name.slice(0, 60)) : typeof name
  throw invalid(
    `filename is ${met}; expected a name of letters, digits, spaces, "_", "-" and ".", without folders: it begins with a letter, a ` +
      `digit or "_" and has at most ${LONGEST_NAME} bytes`,
    'filename',
    'invalid_filename',
  )
}
