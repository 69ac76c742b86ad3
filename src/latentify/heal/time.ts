/** How many steps fit into the time of healing. */

/** Seconds of steps between two checkpoints. */
export const SAVE_EVERY = 120
/** Of the budget: later steps may take longer. */
const PLANNED = 0.97

/** What was timed, in seconds. */
export interface Timed {
  /** That healing may take in all. */
  readonly budget: number
  /** A step. */
  readonly each: number
  /** A checkpoint: one every SAVE_EVERY seconds of steps, and one at the end. */
  readonly saving: number
}

/** Steps in all, after `step` of them in `seconds`. */
export function plannedSteps(
  { step, seconds }: { readonly step: number; readonly seconds: number },
  { budget, each, saving }: Timed,
): number {
  const left = PLANNED * budget - seconds - saving
  return step + Math.max(0, Math.floor(left / (each * (1 + saving / SAVE_EVERY))))
}
