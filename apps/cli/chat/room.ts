/** How a chat continues when its context is full: without the oldest messages. */
import type { Session } from '../../../src/index.ts'

export interface Room {
  /** Tokens that fit in the session. */
  readonly contextLength: number
  /** Tokens of these that are reserved for an answer. */
  readonly answer: number
}

/** Target length after making room: well below the limit, so that room is not made at every message. */
export function roomyLength({ contextLength }: Room): number {
  return Math.floor(contextLength / 2)
}

/** Reserves a share of the context for an answer, or less for a short `maxTokens`. */
export function roomFor(contextLength: number, maxTokens: number): Room {
  return { contextLength, answer: Math.min(maxTokens, Math.floor(contextLength / 4)) }
}

/**
 * Drops from the session's past the tokens that the prompt `before` has and `after` lacks, so that the rest need not be
 * computed again. If the model cannot move rows, they are computed again.
 */
export async function forgetBetween(session: Session, before: readonly number[], after: readonly number[]) {
  const { tokens } = session
  let same = 0
  while (same < after.length && tokens[same] === after[same]) same++
  const end = same + before.length - after.length
  if (end > same && end <= tokens.length) await tryToDrop(session, same, end)
}

/** Returns false if this model cannot move rows, or a window has passed them. */
export async function tryToDrop(session: Session, from: number, to: number): Promise<boolean> {
  try {
    await session.drop(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'bad_option') return false
    throw error
  }
}
