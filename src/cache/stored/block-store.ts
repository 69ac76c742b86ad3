/**
 * Blocks as files, one each, shared by all processes, or by all tabs: `FINGERPRINT/xx/NAME.block` in a place. A file appears under
 * its name whole or not at all, so no lock is needed, and a writer may be killed at any time. Every read verifies the checksum.
 * Any failure is a cache miss with a notice, never an error.
 */
import { blockFileBytes, blockName, decodeBlock, encodeBlock, idsName } from './block-file.ts'
import type { BlockPlace } from './block-place.ts'
import { evictBlocks } from './evict.ts'
import { ENDING, LABEL_FILE } from './list-blocks.ts'
import type { BlockKey, BlockStorage, StoredBlock } from './stored-block.ts'
import { TimelyWork } from './timely.ts'

export interface StoreOptions {
  /** Holds the blocks of all models. */
  readonly place: BlockPlace
  /** Identifies model, cache layout and arithmetic. Blocks with another fingerprint are never found. */
  readonly fingerprint: string
  /** The model's name, for people. */
  readonly label: string
  /** Bound on the bytes of all blocks in the place, those of other models included. */
  readonly maxBytes: number
  /** Receives the reason of each failure as one sentence. */
  readonly onNotice?: (notice: string) => void
}

/** Pause after a failed write, so that a full disk is not tried again for every block. */
const PAUSE_MS = 30_000

export class BlockStore implements BlockStorage {
  readonly fingerprint: string
  readonly #options: StoreOptions
  readonly #place: BlockPlace
  /** Bytes in the whole place when last counted; Infinity before the first count. `#uncounted`: written since, or being written. */
  #bytes = Number.POSITIVE_INFINITY
  #uncounted = 0
  /** Of writes under way: a count may have seen their files, or not. */
  #pending = 0
  /** As the place allowed when last counted. */
  #maxBytes: number
  #counting: Promise<void> | null = null
  #retryAt = 0
  readonly #timely: TimelyWork
  #opened: Promise<void> | undefined
  readonly #reported = new Set<string>()

  constructor(options: StoreOptions) {
    this.fingerprint = options.fingerprint
    this.#options = options
    this.#place = options.place
    this.#maxBytes = options.maxBytes
    this.#timely = new TimelyWork(seconds =>
      this.#notice(
        `${this.#place.show(this.fingerprint)} has not come back for ${seconds} s; blocks are not kept until it does`,
        'late',
      ),
    )
  }

  nameOf(key: BlockKey): string {
    return blockName(key)
  }

  async find(parent: string, ids: readonly number[]): Promise<string[]> {
    return (await this.#timely.run(() => this.#find(parent, ids))) ?? []
  }

  async #find(parent: string, ids: readonly number[]): Promise<string[]> {
    const start = idsName(parent, ids)
    await this.#open()
    try {
      const files = await this.#place.names(`${this.fingerprint}/${start.slice(0, 2)}`)
      return files.filter(f => f.startsWith(start) && f.endsWith(ENDING)).map(f => f.slice(0, -ENDING.length))
    } catch (error) {
      this.#notice(`blocks cannot be listed: ${reason(error)}`, `list ${kindOf(error)}`)
      return []
    }
  }

  async read(name: string): Promise<StoredBlock | null> {
    return (await this.#timely.run(() => this.#read(name))) ?? null
  }

  /** A damaged file is removed. */
  async #read(name: string): Promise<StoredBlock | null> {
    const path = this.#path(name)
    const shown = this.#place.show(path)
    let file: Uint8Array | null
    try {
      file = await this.#place.read(path)
    } catch (error) {
      this.#notice(`${shown} cannot be read: ${reason(error)}`)
      return null
    }
    try {
      return file && (await decodeBlock(file, name))
    } catch (error) {
      this.#notice(`${shown} is damaged (${reason(error)}); it was removed`)
      await this.#place.remove(path).catch(() => {})
      return null
    }
  }

  /** One after the other: where times cannot be set, the order is what tells the least recently used. */
  async touch(names: readonly string[]): Promise<void> {
    const now = Date.now()
    for (const [i, name] of names.toReversed().entries()) {
      const work = this.#timely.run(async () => {
        await this.#place.touch(this.#path(name), now - names.length + i).catch(() => {})
        return true
      })
      if (!(await work)) return
    }
  }

  /** True once every process can read it. */
  async write(block: StoredBlock): Promise<boolean> {
    // What waited for its turn may come after a failure, too.
    return (await this.#timely.run(async () => Date.now() >= this.#retryAt && (await this.#write(block)))) ?? false
  }

  async #write(given: StoredBlock): Promise<boolean> {
    const name = blockName(given)
    const path = this.#path(name)
    let pending = 0
    try {
      const known = await this.#place.stat(path).catch(() => null)
      const block = known ? await this.#joined(given, name, known.bytes) : given
      if (!block) return true
      refuse(blockFileBytes(block), this.#options.maxBytes)
      const bytes = await encodeBlock(block)
      pending = bytes.length
      await this.#makeRoom(pending)
      await this.#open()
      await this.#writeLabel()
      await this.#place.write(path, bytes)
      return true
    } catch (error) {
      this.#retryAt = this.#place.isPermanent(error) ? Number.POSITIVE_INFINITY : Date.now() + PAUSE_MS
      // Others may have filled the place.
      this.#bytes = Number.POSITIVE_INFINITY
      const folder = this.#place.show(this.fingerprint)
      this.#notice(`a block could not be kept in ${folder}: ${reason(error)}`, `keep ${reason(error)}`)
      return false
    } finally {
      this.#pending -= pending
    }
  }

  /** The block with what its file of `bytes` bytes has besides; null: the file has all of it. */
  async #joined(block: StoredBlock, name: string, bytes: number): Promise<StoredBlock | null> {
    // Files under one name differ in which groups they have, and so in size.
    if (bytes === blockFileBytes(block)) return null
    const known = await this.#read(name)
    if (!known) return block
    if (block.groups.every((group, i) => !group || known.groups[i])) return null
    return { ...block, groups: block.groups.map((group, i) => group ?? known.groups[i] ?? null) }
  }

  async #writeLabel(): Promise<void> {
    const path = `${this.fingerprint}/${LABEL_FILE}`
    if (await this.#place.stat(path)) return
    await this.#place.write(path, new TextEncoder().encode(`${this.#options.label}\n`))
  }

  #open(): Promise<void> | undefined {
    this.#opened ??= this.#place.open?.(this.fingerprint).catch(() => {})
    return this.#opened
  }

  /**
   * Removes the least recently used blocks of all models if the bound would be exceeded. Other processes write too, so
   * the place is counted again after each sixteenth of the bound: each process may exceed the bound by that much.
   */
  async #makeRoom(bytes: number): Promise<void> {
    this.#uncounted += bytes
    this.#pending += bytes
    while (this.#uncounted > this.#maxBytes / 16 || this.#bytes + this.#uncounted > this.#maxBytes) {
      const own = this.#counting === null
      this.#counting ??= this.#count().finally(() => {
        this.#counting = null
      })
      await this.#counting
      // A count that another write began does not know of this one's bytes.
      if (own) break
    }
    refuse(bytes, this.#maxBytes)
  }

  async #count(): Promise<void> {
    const needed = this.#pending
    const known = this.#uncounted - needed
    const { bytes, maxBytes } = await evictBlocks(this.#place, this.#options.maxBytes, needed)
    this.#bytes = bytes
    this.#maxBytes = maxBytes
    this.#uncounted -= known
  }

  #path(name: string): string {
    return `${this.fingerprint}/${name.slice(0, 2)}/${name}${ENDING}`
  }

  /** With a `key`, reported only once. */
  #notice(text: string, key?: string): void {
    if (key !== undefined && this.#reported.has(key)) return
    if (key !== undefined) this.#reported.add(key)
    this.#options.onNotice?.(`cache: ${text}`)
  }
}

/** Throws where there can be no room. */
function refuse(bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw new Error(`one block has ${bytes} bytes, and all may have ${maxBytes}`)
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function kindOf(error: unknown): string {
  const { code, name } = error as { readonly code?: string; readonly name?: string }
  return code ?? name ?? ''
}
