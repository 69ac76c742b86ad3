import type { RestoreOptions, SaveOptions } from '../types/options/session.ts'
import type { SavedSession } from '../types/results.ts'
import type { Place } from './restore.ts'
import type { Snapshot } from './snapshot.ts'

/** Sessions kept in files. What that takes is read when it is asked for. */
export class Archive {
  readonly #place: Place
  readonly #saving = new Set<Promise<SavedSession>>()

  constructor(place: Place) {
    this.#place = place
  }

  /** Writes the snapshot and disposes of it. Throws SessionFileError. */
  save(file: string, snapshot: Snapshot, options: SaveOptions): Promise<SavedSession> {
    const saving = this.#save(file, snapshot, options).finally(() => this.#saving.delete(saving))
    this.#saving.add(saving)
    return saving
  }

  async restore(file: string, options: RestoreOptions): Promise<Snapshot> {
    const { restoreSession } = await import('./restore.ts')
    return restoreSession(this.#place, file, options)
  }

  /** Resolves when what is being saved now is; null: nothing is. Snapshots hold memory until then. */
  flush(): Promise<unknown> | null {
    return this.#saving.size === 0 ? null : Promise.allSettled(this.#saving)
  }

  async #save(file: string, snapshot: Snapshot, options: SaveOptions): Promise<SavedSession> {
    const { saveSession } = await import('./save.ts')
    return saveSession(this.#place.parts, file, snapshot, options)
  }
}
