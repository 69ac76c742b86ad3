/** Who gives up cache memory for whom: facts in, a decision out. The loop acts on it. */

/** A session that has no prompt and holds rows. */
export interface IdleSession {
  /** In the clock of the loop. */
  readonly lastUsed: number
  /** Lets go of its rows. */
  park(): void
}

/** Cache memory that sequences of the loop do not hold. */
export interface OuterMemory {
  idle(): readonly IdleSession[]
  /** Resolves when some memory has come back by itself: a write to disk, a save, a prompt being prepared. Null: there is none. */
  releasing(): Promise<unknown> | null
}

/** A sequence of the loop. */
export interface MemoryClaim {
  readonly priority: number
  /** It found no room for what it should run next. */
  readonly waits: boolean
  /** It has rows. */
  readonly holds: boolean
  /** It has given its rows up for a higher priority before, and does so once. */
  readonly yielded: boolean
}

export interface MemoryFacts {
  /** In order of arrival. */
  readonly sequences: readonly MemoryClaim[]
  /** Sessions that hold rows and have no prompt, by when they were last used. */
  readonly idle: readonly number[]
  /** Something runs in the step whatever is decided; when it ends, it gives memory back. */
  readonly progresses: boolean
  /** Memory is coming back by itself: rows that are being written to disk or saved, prompts that are being prepared. */
  readonly releasing: boolean
}

export type MemoryDecision =
  /** Nobody waits, or who waits may wait for the others to end. */
  | { readonly kind: 'run' }
  /** The session at this index of `idle` lets go of its rows. */
  | { readonly kind: 'evict'; readonly session: number }
  /** What is coming back is awaited. */
  | { readonly kind: 'await' }
  /** The sequence at this index lets go of its rows and goes on when another has ended. */
  | { readonly kind: 'pause'; readonly sequence: number }
  /** There will never be room for it. */
  | { readonly kind: 'fail'; readonly sequence: number }

/**
 * In this order: the session that has been idle longest; a sequence of lower priority than one that waits, once each; where
 * all wait, the last to come of the lowest priority. Memory that is coming back is awaited before a sequence pauses, and only
 * one that is alone fails.
 */
export function arbitrate({ sequences, idle, progresses, releasing }: MemoryFacts): MemoryDecision {
  const claims = sequences.map((claim, index) => ({ ...claim, index }))
  const waiting = claims.filter(({ waits }) => waits)
  if (waiting.length === 0) return { kind: 'run' }
  if (idle.length > 0) return { kind: 'evict', session: idle.indexOf(Math.min(...idle)) }
  const urgent = Math.max(...waiting.map(({ priority }) => priority))
  const below = claims.filter(({ priority, holds, yielded }) => priority < urgent && holds && !yielded)
  const candidates = below.length > 0 ? below : progresses ? [] : waiting
  const lowest = Math.min(...candidates.map(({ priority }) => priority))
  const victim = candidates.findLast(({ priority }) => priority === lowest)
  if (!victim) return { kind: 'run' }
  if (releasing) return { kind: 'await' }
  return { kind: claims.length === 1 ? 'fail' : 'pause', sequence: victim.index }
}
