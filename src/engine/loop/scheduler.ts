import { PATH_GRID } from '../../nn/attention/path.ts'

/** A sequence as the scheduler sees it. */
export interface Waiting {
  /** Absolute position of its next token. */
  readonly position: number
  /** Prompt tokens not yet run; 0: it writes. */
  readonly promptLeft: number
  /** Written tokens not yet run: usually one. */
  readonly owed: number
  /** Tokens that a text would like to guess ahead and have checked. */
  readonly ahead: number
  /** Higher goes first. */
  readonly priority: number
  /** Steps since it last got a token. */
  readonly waited: number
}

/** What a sequence adds to the next step. */
export interface Turn {
  /** Which of the sequences. */
  readonly index: number
  /** Tokens, at least one. */
  readonly count: number
  /** Tokens that it may guess beyond these. */
  readonly ahead: number
}

/** Steps after which a sequence goes before all others, whatever their priority. */
export const PATIENCE = 16

type Candidate = Waiting & { readonly index: number }

/**
 * Who adds how many tokens to the next step, of `budget` in all; first come those who have the first claim on memory,
 * too. In this order:
 *
 * 1. who has waited for `PATIENCE` steps, the longest first: a prompt gets one grid cell. So nobody starves;
 * 2. texts, one token each, so that none stalls while a prompt is read;
 * 3. prompts, which share what is left with those of their own priority, so that a short one is not kept waiting by a
 *    long one; what the higher priority does not take goes to the next;
 * 4. texts that guess ahead, with what nobody else wants.
 *
 * Within 2 to 4 higher priorities come first, then who has waited longer, then who was there first. A prompt's share is
 * at least a grid cell and ends on the grid where it can: a cell that is cut in two is computed in two pieces, which
 * costs time, never bits.
 */
export function schedule(sequences: readonly Waiting[], budget: number): Turn[] {
  const turns = new Map<Candidate, { count: number; ahead: number }>()
  let left = budget
  const give = (candidate: Candidate, count: number) => {
    if (count === 0) return
    turns.set(candidate, { count, ahead: 0 })
    left -= count
  }
  const [patient, texts, prompts] = inOrder(sequences)
  for (const one of patient) give(one, one.promptLeft === 0 ? Math.min(one.owed, left) : chunk(one, PATH_GRID, left))
  for (const text of texts) give(text, Math.min(text.owed, left))
  for (const [i, prompt] of prompts.entries()) {
    const sharers = prompts.slice(i).filter(({ priority }) => priority === prompt.priority).length
    give(prompt, chunk(prompt, Math.max(Math.floor(left / sharers), PATH_GRID), left))
  }
  for (const text of texts) {
    const turn = turns.get(text)
    if (!turn) continue
    turn.ahead = Math.min(text.ahead, left)
    left -= turn.ahead
  }
  return [...turns].map(([{ index }, turn]) => ({ index, ...turn }))
}

/** Those who have something to run, by the order's three lines. */
function inOrder(sequences: readonly Waiting[]): readonly [Candidate[], Candidate[], Candidate[]] {
  const ready = sequences
    .map((waiting, index): Candidate => ({ ...waiting, index }))
    .filter(({ promptLeft, owed }) => promptLeft + owed > 0)
  const patient = ready.filter(isPatient).sort((a, b) => b.waited - a.waited || a.index - b.index)
  const others = ready
    .filter(one => !isPatient(one))
    .sort((a, b) => b.priority - a.priority || b.waited - a.waited || a.index - b.index)
  return [patient, others.filter(one => one.promptLeft === 0), others.filter(one => one.promptLeft > 0)]
}

function isPatient({ waited }: Waiting): boolean {
  return waited >= PATIENCE
}

/** The next tokens of a prompt: at most `share` and `most`, up to a line of the grid if there is one among them. */
function chunk({ position, promptLeft }: Waiting, share: number, most: number): number {
  const count = Math.min(promptLeft, share, most)
  if (count === promptLeft) return count
  const end = Math.floor((position + count) / PATH_GRID) * PATH_GRID
  return end > position ? end - position : count
}
