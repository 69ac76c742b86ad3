/** The texts of a run as files of tokens: made once, and found again by what the texts and the tokenizer are. */
import { createHash } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { writeError } from '../../../conversion/output.ts'
import { makeFolder } from '../../../files/make-folder.ts'
import { reserve } from '../../../files/reserve.ts'
import { TrainingError } from '../errors.ts'
import type { TrainingTexts } from '../events.ts'
import { filesOf } from './text-files.ts'
import { FileReader } from './text-stream.ts'
import { TokenFile, TokenWriter } from './token-file.ts'
import { tokensName } from './token-names.ts'
import { type Readers, tokenise } from './tokenise.ts'

/** Milliseconds between two events. */
const OFTEN = 1000

interface Settings extends Readers {
  /** Where the files of tokens are. */
  readonly folder: string
  /** Everything that decides ids beside the texts. */
  readonly identity: unknown
  readonly signal: AbortSignal | undefined
}

export class RunTexts {
  readonly #settings: Settings
  readonly #opened: TokenFile[] = []
  readonly #made: string[] = []

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** The documents of files, and of the files of texts in folders, by rising names. Throws TrainingError, and ConversionError where a file cannot be written. */
  async *read(paths: readonly string[]): AsyncGenerator<TrainingTexts, TokenFile, void> {
    const files: string[] = []
    for (const path of paths) files.push(...(await filesOf(path)))
    const { folder, signal } = this.#settings
    const { digest, bytes } = await this.#digest(files)
    const path = join(folder, tokensName(digest))
    const found = (await TokenFile.open(path, signal)) ?? (yield* this.#make(path, files, bytes, paths))
    this.#opened.push(found)
    return found
  }

  /** Removes the files that were made. */
  async discard(): Promise<void> {
    this.close()
    for (const path of this.#made) await rm(path, { force: true })
  }

  close(): void {
    for (const file of this.#opened.splice(0)) file.close()
  }

  async #digest(files: readonly string[]) {
    const reader = new FileReader(this.#settings.signal)
    for (const file of files) {
      if (!(await stat(file)).isFile()) {
        throw new TrainingError(
          `${file} is a pipe or a device; write the texts into a file, since a run that goes on reads them again`,
        )
      }
      for await (const _ of reader.parts(file));
    }
    return { digest: this.#named(reader, files), bytes: reader.bytes }
  }

  #named(reader: FileReader, files: readonly string[]): string {
    const { identity, pairs, separator } = this.#settings
    const kinds = files.map(file => extname(file) === '.jsonl')
    const all = JSON.stringify([identity, pairs, separator, kinds, reader.digest()])
    return createHash('sha256').update(all).digest('hex').slice(0, 32)
  }

  async *#make(
    path: string,
    files: readonly string[],
    total: number,
    paths: readonly string[],
  ): AsyncGenerator<TrainingTexts, TokenFile, void> {
    const release = await makeFolder(dirname(path))
      .then(() => reserve(path))
      .catch((error: unknown) => {
        throw writeError(path, error)
      })
    if (!release) throw new TrainingError(`Another process writes ${path} now; wait for its end`)
    try {
      await removeUnfinished(path)
      const { signal, pairs } = this.#settings
      const reader = new FileReader(signal)
      const writer = await TokenWriter.open(path, pairs, signal)
      let isWhole = false
      try {
        let due = performance.now() + OFTEN
        for (const file of files) {
          for await (const _ of tokenise(file, reader, this.#settings, writer)) {
            if (performance.now() < due) continue
            due = performance.now() + OFTEN
            yield { type: 'texts', bytes: reader.bytes, total }
          }
        }
        if (writer.documents === 0) throw new TrainingError(`There is no text in ${paths.join(', ')}`)
        if (basename(path) !== tokensName(this.#named(reader, files))) {
          throw new TrainingError(`The texts in ${paths.join(', ')} were changed while they were read; try again`)
        }
        await writer.finish()
        isWhole = true
      } finally {
        if (!isWhole) await writer.discard()
      }
      this.#made.push(path)
      const made = await TokenFile.open(path, signal)
      if (made) return made
      throw new TrainingError(`${path} was written, but not what was written can be read; is the disk sound?`)
    } finally {
      await release()
    }
  }
}

/** What a process that was killed has left of the same file. */
async function removeUnfinished(path: string): Promise<void> {
  const folder = dirname(path)
  for (const name of await readdir(folder)) {
    if (name.startsWith(`${basename(path)}.`) && name.endsWith('.partial'))
      await rm(join(folder, name), { force: true })
  }
}
