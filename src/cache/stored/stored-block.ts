/** Blocks that outlive the process, under names that say all that decides their bits. */

/** The identity of a block: everything but its memory. */
export interface BlockKey {
  /** Name of the previous block; for the first block, the model's fingerprint. */
  readonly parent: string
  readonly ids: readonly number[]
  /** How each row was computed. */
  readonly provenance: readonly number[]
}

export interface StoredBlock extends BlockKey {
  /** One per group; null if the window had passed it. */
  readonly groups: readonly (Uint8Array | null)[]
}

/** Where such blocks are kept. It may forget any of them: whatever is wrong is a miss, never an error. */
export interface BlockStorage {
  readonly fingerprint: string
  /** Equal for blocks with the same model, predecessors, tokens and provenance, and for no others. */
  nameOf(key: BlockKey): string
  /** Names of the stored blocks of these tokens after `parent`, of any provenance. */
  find(parent: string, ids: readonly number[]): Promise<string[]>
  /** Null if the block is absent or damaged. */
  read(name: string): Promise<StoredBlock | null>
  /** True once the block is stored; false on failure. */
  write(block: StoredBlock): Promise<boolean>
  /** Marks the blocks of a text as just used, later blocks as slightly older: the ends of texts go first. */
  touch(names: readonly string[]): Promise<void>
}
