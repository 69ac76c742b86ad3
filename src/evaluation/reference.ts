import type { Model } from '../model/model.ts'
import { scoredRows } from './scored-rows.ts'
import type { Windows } from './windows.ts'

/** The distributions that a model's are compared with, over the same windows and in their order. */
export interface Reference {
  /** For people: a model's name. */
  readonly name: string
  /** The next `count` scored rows. */
  next(count: number): Promise<ReferenceRows>
  dispose(): Promise<void>
}

export interface ReferenceRows {
  /** f32 [n, vocabulary]: logits or log-probabilities. */
  readonly logits: Float32Array
  /** -ln p of the tokens that follow, where it is known better than from `logits`. */
  readonly nll: Float64Array | null
}

/** Another model, run side by side: nothing is rounded. `release` gives it back at the end. */
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
      // Both sides cut windows into steps by the size of the vocabulary, which is the same.
      if (done || value.targets.length !== count) throw new RangeError(`modelReference: ${count} rows were asked for`)
      return { logits: value.logits, nll: null }
    },
    async dispose() {
      await rows.return(undefined)
      release()
    },
  }
}
