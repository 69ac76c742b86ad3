import { PATH_GRID } from '../attention/path.ts'

/** A sequence as the scheduler sees it. */
export interface Waiting {
  /** Absolute position of its next token. */
  readonly position: number
  /** Prompt tokens not yet run; 0: it generates. */
  readonly promptLeft: number
  /** Generated tokens not yet run: usually one. */
  readonly owed: number
}

/**
 * How many tokens each sequence adds to the next step. Every generating sequence goes on, so that no text stalls while
 * another prompt is read; prompts share `chunkSize` tokens evenly in order of arrival, so that a short one is not kept
 * waiting by a long one. Shares are at least a grid cell and end on the grid where they can: a cell that is cut in two
 * is computed in two pieces, which costs time, never bits.
 */
export function schedule(sequences: readonly Waiting[], chunkSize: number): number[] {
  let budget = chunkSize
  let prompts = sequences.filter(s => s.promptLeft > 0).length
  return sequences.map(({ position, promptLeft, owed }) => {
    if (promptLeft === 0) return owed
    const share = Math.min(Math.max(Math.floor(budget / prompts--), PATH_GRID), budget)
    const count = endOnGrid(position, Math.min(promptLeft, share), promptLeft)
    budget -= count
    return count
  })
}

function endOnGrid(position: number, count: number, left: number): number {
  if (count === left) return count
  const end = Math.floor((position + count) / PATH_GRID) * PATH_GRID
  return end > position ? end - position : count
}
