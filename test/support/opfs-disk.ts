/** The files that a browser keeps, in a test: without `move`, and with what may happen to them. */

export class Disk {
  readonly files = new Map<string, Uint8Array>()
  /** Changes until the tab closes. */
  left = Number.POSITIVE_INFINITY
  /** No file may grow. */
  full = false
  /** Whether another worker has the file open. */
  held: (file: string) => boolean = () => false

  /** As `navigator.storage`. */
  readonly storage = { getDirectory: async () => this.folder('/') }

  folder(path: string): object {
    const { files } = this
    return {
      kind: 'directory',
      getDirectoryHandle: async (name: string) => this.folder(`${path}${name}/`),
      getFileHandle: async (name: string, { create = false } = {}) => {
        const file = path + name
        if (!files.has(file)) {
          if (!create) throw new DOMException(file, 'NotFoundError')
          this.#change()
          files.set(file, new Uint8Array())
        }
        return this.#file(file, name)
      },
      removeEntry: async (name: string) => {
        this.#change()
        files.delete(path + name)
      },
      values: async function* () {
        for (const file of [...files.keys()]) if (file.startsWith(path)) yield { name: file.slice(path.length) }
      },
    }
  }

  #change(): void {
    if (--this.left < 0) throw new Error('the tab is closed')
  }

  #file(file: string, name: string): object {
    const bytes = () => this.files.get(file) as Uint8Array<ArrayBuffer>
    return {
      kind: 'file',
      name,
      getFile: async () => new File([bytes()], name),
      createSyncAccessHandle: async () => {
        if (this.held(file)) throw new DOMException(file, 'NoModificationAllowedError')
        return {
          read: (into: Uint8Array, { at = 0 } = {}) => {
            const found = bytes().subarray(at, at + into.length)
            into.set(found)
            return found.length
          },
          write: (given: Uint8Array, { at = 0 } = {}) => {
            this.#change()
            const old = bytes()
            if (this.full && at + given.length > old.length) return 0
            const grown = new Uint8Array(Math.max(old.length, at + given.length))
            grown.set(old)
            grown.set(given, at)
            this.files.set(file, grown)
            return given.length
          },
          truncate: (size: number) => {
            this.#change()
            this.files.set(file, bytes().slice(0, size))
          },
          getSize: () => bytes().length,
          flush: () => {},
          close: () => {},
        }
      },
    }
  }
}
