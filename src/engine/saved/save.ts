import { filledParts } from '../../cache/layout.ts'
import type { Block } from '../../cache/pool.ts'
import type { SequenceCache } from '../../cache/sequence-cache.ts'
import { LatentkitError } from '../../errors.ts'
import type { Parts } from '../load/load-parts.ts'
import { SessionFileError } from '../types/errors.ts'
import type { SaveOptions } from '../types/options/session.ts'
import type { SavedSession } from '../types/results.ts'
import { writeSession } from './session-file.ts'
import type { Snapshot } from './snapshot.ts'

/** Writes the snapshot and disposes of it. Throws SessionFileError. */
export async function saveSession(
  parts: Parts,
  file: string,
  { timeline, rolling, drawing }: Snapshot,
  { rows = true, notes = null }: SaveOptions,
): Promise<SavedSession> {
  const { tokens, endsGenerated, cache } = timeline
  const { ids, provenance } = cache
  const { layout } = parts.model
  const blocks = rows ? blocksOf(cache) : []
  try {
    const bytes = await writeSession(parts.sessions, file, {
      header: {
        model: parts.info.name,
        identity: await parts.identity(),
        contextLength: cache.maxTokens,
        rolling,
        endsGenerated,
        drawing,
        notes,
      },
      tokens,
      ids: rows ? ids : [],
      provenance: rows ? provenance : [],
      sizes: blocks.map(byGroup => byGroup.map(block => block && (layout.groups[block.group]?.blockBytes as number))),
      blocks: memoryOf(parts, blocks, cache.length),
    })
    return { tokens: tokens.length, rows: rows ? ids.length : 0, bytes }
  } catch (error) {
    if (error instanceof LatentkitError) throw error
    throw new SessionFileError(`The session could not be saved as ${file}: ${(error as Error).message}`, {
      cause: error,
    })
  } finally {
    timeline.dispose()
  }
}

function blocksOf(cache: SequenceCache): (Block | null)[][] {
  const count = Math.ceil(cache.length / cache.blockTokens)
  return Array.from({ length: count }, (_, n) => cache.blocksAt(n))
}

/** Memory of the blocks that are there; what lies behind the last row belongs to nobody and is left out as zeros. */
async function* memoryOf(
  { kernels, model }: Parts,
  blocks: readonly (readonly (Block | null)[])[],
  rows: number,
): AsyncGenerator<Uint8Array> {
  const { blockTokens } = model.layout
  for (const [n, byGroup] of blocks.entries()) {
    const filled = Math.min(rows - n * blockTokens, blockTokens)
    for (const block of byGroup) {
      if (!block) continue
      const bytes = (await kernels.memory.read(block.memory)) as Uint8Array
      for (const part of filledParts(model.layout, block.group, filled)) {
        bytes.fill(0, part.start + part.bytes, part.start + part.room)
      }
      yield bytes
    }
  }
}
