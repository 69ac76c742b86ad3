import { PATH_GRID } from '../../nn/attention/path.ts'

/** What a sequence could run next. */
export interface Demand {
  /** Absolute position of its next token. */
  readonly position: number
  /** Prompt tokens not yet run; 0: it generates. */
  readonly promptLeft: number
  /** Generated tokens not yet run: usually one. */
  readonly pending: number
  /** Draft tokens that it would like to have checked. */
  readonly draftTokens: number
  /** Higher goes first. */
  readonly priority: number
  /** Steps since it last got a token. */
  readonly stepsWaited: number
}

/** What a sequence may add to the next step. */
export interface Grant {
  /** Which of the sequences. */
  readonly index: number
  /** Tokens, at least one. */
  readonly count: number
  /** Draft tokens beyond these. */
  readonly draftTokens: number
}

/** Steps after which a sequence goes before all others, whatever their priority. */
export const MAX_STEPS_WAITED = 16

/**
 * Who adds how many tokens to the next step, of `budget` in all. The order is also the order of claims on memory:
 *
 * 1. sequences that waited `MAX_STEPS_WAITED` steps, the longest first: a prompt gets one grid cell. So nobody starves;
 * 2. texts, one token each, so that none stalls while a prompt is read;
 * 3. prompts, which share what is left with those of their own priority, so that a short one does not wait for a long
 *    one; what the higher priority does not take goes to the next;
 * 4. drafts, with what nobody else wants.
 *
 * Within 2 to 4 higher priorities come first, then who has waited longer, then who came first. A prompt's share is
 * at least a grid cell and ends on the grid where it can: a cell that is cut in two is computed in two pieces, which
 * costs time, never bits.
 */
export function schedule(sequences: readonly Demand[], budget: number): Grant[] {
  const grants: { index: number; count: number; draftTokens: number }[] = []
  let left = budget
  const give = ({ index }: Candidate, count: number) => {
    if (count === 0) return
    grants.push({ index, count, draftTokens: 0 })
    left -= count
  }
  const [overdue, texts, prompts] = inOrder(sequences)
  for (const one of overdue) {
    const { promptLeft, pending } = one.demand
    give(one, promptLeft === 0 ? Math.min(pending, left) : chunk(one.demand, PATH_GRID, left))
  }
  const firstText = grants.length
  for (const text of texts) give(text, Math.min(text.demand.pending, left))
  const afterTexts = grants.length
  for (const [i, prompt] of prompts.entries()) {
    const sharers = prompts.slice(i).filter(({ demand }) => demand.priority === prompt.demand.priority).length
    give(prompt, chunk(prompt.demand, Math.max(Math.floor(left / sharers), PATH_GRID), left))
  }
  for (const grant of grants.slice(firstText, afterTexts)) {
    grant.draftTokens = Math.min((sequences[grant.index] as Demand).draftTokens, left)
    left -= grant.draftTokens
  }
  return grants
}

interface Candidate {
  readonly demand: Demand
  readonly index: number
}

/** Sequences with something to run: overdue ones, texts, prompts. */
function inOrder(sequences: readonly Demand[]): readonly [Candidate[], Candidate[], Candidate[]] {
  const overdue: Candidate[] = []
  const texts: Candidate[] = []
  const prompts: Candidate[] = []
  for (const [index, demand] of sequences.entries()) {
    if (demand.promptLeft + demand.pending <= 0) continue
    const kind = isOverdue(demand) ? overdue : demand.promptLeft === 0 ? texts : prompts
    kind.push({ demand, index })
  }
  const byWait = (a: Candidate, b: Candidate) => b.demand.stepsWaited - a.demand.stepsWaited || a.index - b.index
  const byPriority = (a: Candidate, b: Candidate) => b.demand.priority - a.demand.priority || byWait(a, b)
  return [overdue.sort(byWait), texts.sort(byPriority), prompts.sort(byPriority)]
}

function isOverdue({ stepsWaited }: Demand): boolean {
  return stepsWaited >= MAX_STEPS_WAITED
}

/** The next tokens of a prompt: at most `share` and `most`, up to a line of the grid if there is one among them. */
function chunk({ position, promptLeft }: Demand, share: number, most: number): number {
  const count = Math.min(promptLeft, share, most)
  if (count === promptLeft) return count
  const end = Math.floor((position + count) / PATH_GRID) * PATH_GRID
  return end > position ? end - position : count
}
