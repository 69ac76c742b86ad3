/** How far healing has come, as numbers beside what has been learned. */
import type { WorkFolder } from '../work-folder.ts'

export interface HealProgress {
  /** Steps taken. */
  readonly step: number
  /** Steps in all; 0: not known yet. */
  readonly planned: number
  /** That steps took, and the writing of texts before them. */
  readonly seconds: number
  /** Tokens that were learned from, again where texts came again. */
  readonly tokens: number
  /** Of each step: KL from the original on its texts, before its update. */
  readonly kl: readonly number[]
}

const PROGRESS = 'progress'
const KL = 'kl'

export async function keepProgress(
  work: WorkFolder,
  { step, planned, seconds, tokens, kl }: HealProgress,
  learned: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  const progress = Float32Array.of(step, planned, seconds, tokens)
  await work.keepHealing(new Map([...learned, [PROGRESS, progress], [KL, Float32Array.from(kl)]]))
}

/** Null: nothing was kept. */
export async function readProgress(
  work: WorkFolder,
): Promise<{ readonly progress: HealProgress; readonly learned: ReadonlyMap<string, Float32Array> } | null> {
  const learned = await work.healing()
  if (!learned) return null
  const [step, planned, seconds, tokens] = learned.get(PROGRESS) as Float32Array as unknown as [
    number,
    number,
    number,
    number,
  ]
  return { progress: { step, planned, seconds, tokens, kl: [...(learned.get(KL) as Float32Array)] }, learned }
}
