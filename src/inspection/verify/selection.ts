/** What indexers give keys and choose, held against the expected scores and choices. */
import { readFloats, readIntegers } from '../../checkpoint/read-tensor.ts'
import type { TensorEntry } from '../../checkpoint/tensor-entry.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import { ownIndexer } from '../../nn/attention/config.ts'
import { type ModelConfig, maxChosen } from '../../nn/config.ts'
import type { Capture } from '../../nn/decoder.ts'
import { elementCount, type Tensor, view } from '../../tensor/tensor.ts'
import { worstError } from './measure.ts'

export interface ExpectedSelection {
  /** Layers with an indexer of their own, in order. */
  readonly layers: readonly number[]
  /** [n, T, T]: -inf for keys behind the query; null where not given. */
  readonly scores: Float32Array | null
  /** [n, T, T]: 1 where the query attends to the key. */
  readonly selected: readonly number[]
}

/** How far what indexers give and choose is from what was expected. */
export interface SelectionErrors {
  /** Worst |error| / (1 + |expected|) of the scores; null where none are expected. */
  readonly scores: number | null
  /** Keys that are chosen and should not be, or the other way round, over all queries and layers. */
  readonly differing: number
  /** Keys that should be chosen, over all queries and layers. */
  readonly expected: number
}

/** `tensorOf`: a prompt's tensor, of this shape. Null for models without indexers, and where nothing is expected of them. */
export async function readSelection(
  tensorOf: (what: string, shape: readonly number[]) => TensorEntry | undefined,
  config: ModelConfig,
  T: number,
): Promise<ExpectedSelection | null> {
  const layers = [...config.layers.keys()].filter(i => ownIndexer(config.layers[i]!.attention))
  if (layers.length === 0) return null
  const shape = [layers.length, T, T]
  const [selected, scores] = [tensorOf('selected', shape), tensorOf('index_scores', shape)]
  if (!selected) return null
  return { layers, selected: await readIntegers(selected), scores: scores ? await readFloats(scores) : null }
}

/** Buffers for them, and views of these for a run of rows. */
export function captureSelection(k: Kernels, config: ModelConfig, T: number) {
  const [L, K] = [config.layers.length, maxChosen(config)]
  const scores = k.memory.alloc('f32', [L, T, T])
  const selected = k.memory.alloc('i32', [L, T, K])
  k.memory.upload(scores, new Float32Array(elementCount(scores.shape)).fill(Number.NEGATIVE_INFINITY))
  return {
    rows(start: number, count: number): Capture {
      return {
        indexScores: view(scores, start * T, [L, count, T], scores.strides),
        selected: view(selected, start * K, [L, count, K], selected.strides),
      }
    },
    errors: (expected: ExpectedSelection) => errorsOf(k, expected, scores, selected),
    free() {
      k.memory.free(scores)
      k.memory.free(selected)
    },
  }
}

async function errorsOf(
  k: Kernels,
  { layers, ...expected }: ExpectedSelection,
  scores: Tensor,
  selected: Tensor,
): Promise<SelectionErrors> {
  const given = (await k.memory.read(scores)) as Float32Array
  const lists = (await k.memory.read(selected)) as Int32Array
  const [, T, K] = selected.shape as [number, number, number]
  let [worst, differing] = [0, 0]
  const wanted = expected.selected.reduce((n, chosen) => n + chosen, 0)
  for (const [i, layer] of layers.entries()) {
    const at = (all: Float32Array, n: number) => all.subarray(n * T * T, (n + 1) * T * T)
    if (expected.scores) worst = Math.max(worst, worstError(at(given, layer), at(expected.scores, i)))
    for (let t = 0; t < T; t++) {
      const chosen = new Set(lists.subarray((layer * T + t) * K, (layer * T + t + 1) * K))
      for (let s = 0; s < T; s++) if (chosen.has(s) !== (expected.selected[(i * T + t) * T + s] === 1)) differing++
    }
  }
  return { scores: expected.scores ? worst : null, differing, expected: wanted }
}
