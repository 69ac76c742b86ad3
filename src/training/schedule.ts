/** How the learning rate goes after the warm-up (docs/training.md). */
export type Schedule = 'constant' | 'linear' | 'cosine' | 'wsd'
export const SCHEDULES: readonly Schedule[] = ['constant', 'linear', 'cosine', 'wsd']

export interface ScheduleOptions {
  readonly schedule: Schedule
  /** The highest rate. */
  readonly rate: number
  /** The rate of the last step, as a share of `rate`. */
  readonly lastRate: number
  /** Steps in which the rate rises from 0. */
  readonly warmup: number
  /** Steps of the run. */
  readonly steps: number
  /** `wsd`: steps in which the rate falls, at the end of the run. */
  readonly decay: number
}

/**
 * The rate of step `step`, counted from 1. After the warm-up `linear` and `cosine` (arXiv 1608.03983) fall until the last step, `wsd`
 * (warmup-stable-decay, arXiv 2404.06395) stays and falls linearly in its last steps.
 */
export function rateAt(step: number, { schedule, rate, lastRate, warmup, steps, decay }: ScheduleOptions): number {
  if (step <= warmup) return (rate * step) / warmup
  const falls = schedule === 'wsd' ? Math.max(warmup, steps - decay) : warmup
  if (schedule === 'constant' || step <= falls) return rate
  const done = Math.min(1, (step - falls) / Math.max(1, steps - falls))
  const share = schedule === 'cosine' ? (1 + Math.cos(Math.PI * done)) / 2 : 1 - done
  return rate * (lastRate + (1 - lastRate) * share)
}
