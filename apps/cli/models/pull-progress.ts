import type { ProgressEvent } from '../../../src/index.ts'
import type { Progress } from '../output/progress.ts'

/** The files of one download as a whole: three come at a time, and a line per file would jump. */
export class PullProgress {
  readonly #progress: Progress
  readonly #files = new Map<string, { readonly first: number; readonly loaded: number; readonly total: number }>()

  constructor(progress: Progress) {
    this.#progress = progress
  }

  readonly update = (event: ProgressEvent): void => {
    const { status, file, loaded, total } = event
    if (status !== 'download') {
      this.#progress.update(event)
      return
    }
    const first = this.#files.get(file)?.first ?? loaded
    // While another process downloads the file, its progress is unknown: 0.
    this.#files.set(file, { first, loaded: Math.max(loaded, this.#files.get(file)?.loaded ?? 0), total })
    this.#progress.update({ status, file: 'Pulling', loaded: this.#sum(f => f.loaded), total: this.#sum(f => f.total) })
  }

  /** Bytes that came now. */
  get received(): number {
    return this.#sum(({ loaded, first }) => loaded - first)
  }

  #sum(of: (file: { readonly first: number; readonly loaded: number; readonly total: number }) => number): number {
    return [...this.#files.values()].reduce((sum, file) => sum + of(file), 0)
  }
}
