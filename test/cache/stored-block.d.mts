import type { StoredBlock } from '../../src/cache/stored/stored-block.ts'

/** Blocks that every process makes alike. */
export function blockOf(seed: number, parent: string, bytes?: number): StoredBlock
