import type { CacheLayout } from '../../cache/layout.ts'
import { type Block, CacheFullError } from '../../cache/pool.ts'
import { seenBlocks } from '../../cache/prefix-tree.ts'
import type { FilledBlock, SequenceCache } from '../../cache/sequence-cache.ts'

import { LatentkitError, OutOfMemoryError } from '../../errors.ts'
import { FOREIGN } from '../../nn/provenance.ts'
import type { Parts } from '../load/load-parts.ts'
import { differences } from '../past/identity.ts'
import { type SharedPast, Timeline } from '../past/timeline.ts'
import { ContextLengthError, SessionMismatchError } from '../types/errors.ts'
import type { RestoreOptions } from '../types/options/session.ts'
import { damaged, openSession } from './open-session.ts'
import type { SessionReader } from './session-file.ts'
import type { SessionHeader } from './session-header.ts'
import type { Snapshot } from './snapshot.ts'

/** Where a restored session is put. */
export interface Place {
  readonly parts: Parts
  readonly past: SharedPast
  /** The cache is full: gives up or waits for what no prompt needs; false if there is nothing. */
  readonly makeRoom: () => Promise<boolean>
}

/** What is in the file, ready to go on. Throws SessionFileError and what `check` throws. */
export async function restoreSession(place: Place, path: string, options: RestoreOptions): Promise<Snapshot> {
  const reader = await openSession(place.parts.sessions, path)
  try {
    const { header } = reader
    const differs = differences(header.identity, await place.parts.identity())
    try {
      check(path, reader, differs, place.parts, options)
    } catch (error) {
      // A damaged file may say anything of itself.
      await reader.finish()
      throw error
    }
    const contextLength = options.contextLength ?? header.contextLength
    const timeline = new Timeline(place.parts.model.sequence(contextLength), place.past, options.cacheSalt)
    try {
      if (differs.length === 0) await readRows(place, reader, timeline.cache, options)
      await reader.finish()
      timeline.become(reader.tokens, header.endsGenerated)
      if (options.share) timeline.keepRun(timeline.cache.length)
      return { timeline, rolling: header.rolling, drawing: header.drawing }
    } catch (error) {
      timeline.dispose()
      throw error
    }
  } catch (error) {
    throw error instanceof LatentkitError ? error : damaged(path, error)
  } finally {
    await reader.close()
  }
}

/** All that can be said against the file before its rows are read. */
function check(
  path: string,
  { header, tokens, ids }: SessionReader,
  differs: readonly string[],
  { info, model }: Parts,
  { recompute = false, contextLength = header.contextLength }: RestoreOptions,
): void {
  const { prompt = [], counts = [] } = header.drawing ?? {}
  const drawn = counts.map(([id]) => id)
  const foreign = [...tokens, ...ids, ...prompt, ...drawn].find(id => id < 0 || id >= model.config.vocabSize)
  const sameTokenizer = !differs.includes('the tokenizer')
  if (differs.length > 0 && !(recompute && sameTokenizer)) {
    const remedy = sameTokenizer
      ? 'recompute: true takes its text and computes the rest again'
      : 'its tokens mean nothing to this model; load the one it belongs to'
    throw new SessionMismatchError(
      `The session ${path} was saved with ${header.model}; for ${info.name} as it is loaded, ${differs.join(', ')} ` +
        `${differs.length > 1 ? 'differ' : 'differs'}: ${remedy}.`,
    )
  }
  if (foreign !== undefined) throw new Error(`it has token ${foreign} of a vocabulary of ${model.config.vocabSize}`)
  const most = Math.max(tokens.length, ids.length)
  if (contextLength > info.contextLength || most > contextLength) {
    throw new ContextLengthError(
      `The session ${path} has ${most} tokens and may hold ${contextLength}; the engine was loaded for ` +
        `${info.contextLength}. Load the model with a larger contextLength, or give restore one that fits.`,
    )
  }
  const { rolling } = header
  if (rolling && rolling.keep + rolling.count >= contextLength) {
    throw new ContextLengthError(
      `The session ${path} keeps ${rolling.keep} tokens and drops ${rolling.count} where its context is full, ` +
        `which takes a context of more than ${rolling.keep + rolling.count}; it would be ${contextLength}.`,
    )
  }
}

/** Fills the cache, or not, where there is no room and the rows may be computed again. */
async function readRows(
  { parts, makeRoom }: Place,
  reader: SessionReader,
  cache: SequenceCache,
  { recompute = false, share = false }: RestoreOptions,
): Promise<void> {
  const { kernels, model } = parts
  const { pool } = model
  checkBlocks(model.layout, reader.header)
  const held: Block[] = []
  try {
    const filled: FilledBlock[] = []
    for (const [n, sizes] of reader.header.blocks.entries()) {
      const blocks: (Block | null)[] = []
      for (const [group, bytes] of sizes.entries()) {
        const block = bytes === null ? null : await taken(() => pool.take(group), makeRoom)
        blocks.push(block)
        if (!block || bytes === null) continue
        held.push(block)
        kernels.memory.upload(block.memory, await reader.next(bytes))
      }
      const rows = [n * cache.blockTokens, (n + 1) * cache.blockTokens] as const
      const provenance = reader.provenance.slice(...rows).map(flags => (share ? flags : flags | FOREIGN))
      filled.push({ ids: reader.ids.slice(...rows), provenance, blocks })
    }
    cache.adopt(0, filled, reader.ids.length)
  } catch (error) {
    if (recompute && (error instanceof CacheFullError || error instanceof OutOfMemoryError)) return
    throw error
  } finally {
    for (const block of held.reverse()) pool.release(block)
  }
}

async function taken(take: () => Block, makeRoom: () => Promise<boolean>): Promise<Block> {
  for (;;) {
    try {
      return take()
    } catch (error) {
      if (!(error instanceof CacheFullError) || !(await makeRoom())) throw error
    }
  }
}

/** Whether the blocks are those that so many rows need. */
function checkBlocks({ blockTokens, groups }: CacheLayout, { rows, blocks }: SessionHeader): void {
  const expected = Math.ceil(rows / blockTokens)
  if (blocks.length !== expected) throw new Error(`it has ${blocks.length} blocks for ${rows} rows, not ${expected}`)
  for (const [n, sizes] of blocks.entries()) {
    if (sizes.length !== groups.length)
      throw new Error(`its block ${n} has ${sizes.length} parts, not ${groups.length}`)
    for (const [g, group] of groups.entries()) {
      const [from] = seenBlocks(group, rows, blockTokens)
      const bytes = sizes[g] ?? null
      const fits = bytes === null ? n < from : bytes === group.blockBytes
      if (!fits) throw new Error(`its block ${n} has ${bytes ?? 'no'} bytes where ${group.blockBytes} were expected`)
    }
  }
}
