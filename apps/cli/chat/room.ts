/** How a chat goes on where its context is full: without the oldest of what was said. */
import type { Session } from '../../../src/index.ts'

export interface Room {
  /** Tokens that the session may hold. */
  readonly contextLength: number
  /** Of these, kept free for an answer. */
  readonly answer: number
}

/** Tokens that a text has left once it was too long: a good deal less than fits, so that room is not made every time. */
export function roomyLength({ contextLength }: Room): number {
  return Math.floor(contextLength / 2)
}

/** An answer's share of the context, if it is not shorter anyway. */
export function roomFor(contextLength: number, maxTokens: number): Room {
  return { contextLength, answer: Math.min(maxTokens, Math.floor(contextLength / 4)) }
}

/**
 * Takes out of the session's past what the prompt `after` has not and `before` has, so that the rest need not be computed again.
 * A model that cannot move rows computes it again.
 */
export async function forgetBetween(session: Session, before: readonly number[], after: readonly number[]) {
  const { tokens } = session
  let same = 0
  while (same < after.length && tokens[same] === after[same]) same++
  const end = same + before.length - after.length
  if (end > same && end <= tokens.length) await tryToDrop(session, same, end)
}

/** False if this model cannot move rows, or not any more. */
export async function tryToDrop(session: Session, from: number, to: number): Promise<boolean> {
  try {
    await session.drop(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'bad_option') return false
    throw error
  }
}
