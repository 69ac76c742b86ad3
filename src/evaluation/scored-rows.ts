import { setImmediate as pause } from 'node:timers/promises'
import type { Model } from '../model/model.ts'
import { RowRunner } from '../model/row-runner.ts'
import type { Windows } from './windows.ts'

/** Consecutive positions of one window: the model's predictions and the actual next tokens. */
export interface ScoredRows {
  /** Index of the window; `last`: whether these are its last rows. */
  readonly window: number
  readonly last: boolean
  /** f32 [n, vocabulary] */
  readonly logits: Float32Array
  /** The tokens that follow: n ids. */
  readonly targets: Int32Array
  /** Milliseconds that the model took since the previous rows, without the caller's time. */
  readonly ms: number
}

/** Tokens of a step without logits: bounds the activations. */
const CONTEXT_CHUNK = 512
/** Logits of a step: 32 MiB. */
const LOGITS = 8 << 20

/** Runs window after window. Yields to the event loop between steps; an aborted signal throws its reason. */
export async function* scoredRows(model: Model, windows: Windows, signal?: AbortSignal): AsyncGenerator<ScoredRows> {
  const { config } = model
  const { size, from, list } = windows
  // The last token of a window is scored, but predicts nothing.
  const end = size - 1
  const rows = Math.max(1, Math.floor(LOGITS / config.vocabSize))
  const cache = model.sequence(size)
  try {
    for (const [window, tokens] of list.entries()) {
      cache.truncate(0)
      const runner = new RowRunner({ cache, ids: tokens, extent: { start: 0, end: size } })
      const run = async (start: number, stop: number, logits: 'all' | 'none') => {
        await pause()
        signal?.throwIfAborted()
        return runner.step(model, stop - start, logits)
      }
      let begun = performance.now()
      for (const [start, stop] of pieces(0, from - 1, CONTEXT_CHUNK)) await run(start, stop, 'none')
      for (const [start, stop] of pieces(from - 1, end, rows)) {
        const logits = await run(start, stop, 'all')
        const ms = performance.now() - begun
        yield { window, last: stop === end, logits, targets: tokens.subarray(start + 1, stop + 1), ms }
        begun = performance.now()
      }
    }
  } finally {
    cache.dispose()
  }
}

/** Splits start .. end into equal chunks of at most `most`. */
function* pieces(start: number, end: number, most: number): Generator<readonly [number, number]> {
  const count = Math.ceil((end - start) / most)
  for (let i = 0; i < count; i++) {
    const at = (n: number) => start + Math.floor(((end - start) * n) / count)
    yield [at(i), at(i + 1)]
  }
}
