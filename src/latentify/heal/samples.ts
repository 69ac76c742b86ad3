/** Texts that the original writes, to learn from: its own distribution, without a text of others. */
import type { Parts } from '../../engine/load/load-parts.ts'
import { RowRunner } from '../../model/row-runner.ts'
import { Rng } from '../../sampling/rng.ts'
import { Sampler } from '../../sampling/sampler.ts'
import type { Samples, WorkFolder } from '../work-folder.ts'

/** Texts that are written side by side: at first few, which are there soon. */
const [FIRST, SIDE_BY_SIDE] = [8, 32]
/** Tokens of a window with which a text begins. */
const BEGINNING = 16

export interface SampleRun {
  readonly original: Parts
  /** Each text begins as one of them does. */
  readonly windows: readonly Int32Array[]
  /** Tokens that are wanted in all. */
  readonly tokens: number
  /** That they may take, but for the first group; null: as long as they take. */
  readonly limit: number | null
  readonly work: WorkFolder
  readonly signal?: AbortSignal | undefined
  /** After each group of texts: tokens so far. */
  readonly onTokens: (done: number) => void
}

/** Of the length of the windows, drawn at temperature 1. What the work folder has is not written again. Throws the signal's reason. */
export async function samplesOf({
  original,
  windows,
  tokens,
  limit,
  work,
  signal,
  onTokens,
}: SampleRun): Promise<Samples> {
  const size = (windows[0] as Int32Array).length
  const count = Math.ceil(tokens / size)
  const { numerics } = original.kernels.info
  const kept = await work.samples(numerics)
  const found = kept ? [...kept.windows] : []
  let seconds = kept?.seconds ?? 0
  // More may be there, of another conversion that wanted them.
  onTokens(Math.min(found.length, count) * size)
  const goesOn = () => found.length === 0 || (found.length < count && (limit === null || seconds < limit))
  while (goesOn()) {
    signal?.throwIfAborted()
    const begun = performance.now()
    const most = found.length === 0 ? FIRST : SIDE_BY_SIDE
    const numbers = Array.from({ length: Math.min(most, count - found.length) }, (_, i) => found.length + i)
    const beginnings = numbers.map(n => (windows[n % windows.length] as Int32Array).subarray(0, BEGINNING))
    found.push(...(await written(original, beginnings, size, numbers[0] as number, signal)))
    seconds += (performance.now() - begun) / 1000
    await work.keepSamples({ numerics, windows: found, seconds })
    onTokens(found.length * size)
  }
  return { numerics, windows: found.slice(0, count), seconds: (seconds * Math.min(count, found.length)) / found.length }
}

/** `seed`: of the first. */
async function written(
  { model, kernels }: Parts,
  beginnings: readonly Int32Array[],
  size: number,
  seed: number,
  signal: AbortSignal | undefined,
): Promise<Int32Array[]> {
  const { vocabSize } = model.config
  const texts = beginnings.map((ids, i) => ({
    rows: new RowRunner({ cache: model.sequence(size), ids, extent: { start: 0, end: ids.length } }),
    sampler: new Sampler({ temperature: 1 }, Rng.seeded(BigInt(seed + i))),
    next: ids.length,
  }))
  try {
    while (texts.some(({ rows }) => rows.ids.length < size)) {
      signal?.throwIfAborted()
      const logits = await model.forward(texts.map(({ rows, next }) => rows.input(next, 'last')))
      const numbers = (await kernels.memory.read(logits)) as Float32Array
      for (const [i, text] of texts.entries()) {
        text.rows.push(text.sampler.sample(numbers.subarray(i * vocabSize, (i + 1) * vocabSize)))
        text.next = 1
      }
    }
    return texts.map(({ rows }) => Int32Array.from(rows.ids))
  } finally {
    for (const { rows } of texts) rows.cache.dispose()
  }
}
