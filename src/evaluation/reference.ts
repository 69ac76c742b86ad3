import type { Model } from '../model/model.ts'
import { scoredRows } from './scored-rows.ts'
import type { Windows } from './windows.ts'

/** The distributions to compare with, over the same windows in the same order. */
export interface Reference {
  /** The model's name, for people. */
  readonly name: string
  /** The next `count` scored rows. */
  next(count: number): Promise<ReferenceRows>
  dispose(): Promise<void>
}

export interface ReferenceRows {
  /** f32 [n, vocabulary]: logits or log-probabilities. */
  readonly logits: Float32Array
  /** -ln p of the tokens that follow, if known more exactly than from `logits`. */
  readonly nll: Float64Array | null
}

/** Another model, run side by side, without rounding. `release` is called at the end. */
export function modelReference(
  name: string,
  model: Model,
  windows: Windows,
  release: () => void,
  signal?: AbortSignal,
): Reference {
  const rows = scoredRows(model, windows, signal)
  return {
    name,
    async next(count) {
      const { value, done } = await rows.next()
      // Both models have the same vocabulary, so both split windows into the same steps.
      if (done || value.targets.length !== count) throw new RangeError(`modelReference: ${count} rows were asked for`)
      return { logits: value.logits, nll: null }
    },
    async dispose() {
      await rows.return(undefined)
      release()
    },
  }
}
