/**
 * What a reading shows is what transformers computes of the same text (`output_attentions`, `output_hidden_states` of
 * 5.23, in f64): every kind of attention, by the kernels of this machine and by the reference.
 */
import { describe, expect, it } from 'vitest'
import { expectedPath, readExpected } from '../../src/inspection/verify/expected.ts'
import { worstError } from '../../src/inspection/verify/measure.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { TextReading } from '../../src/reading/reading.ts'
import { checkpointFolders } from '../support/all-fixtures.ts'
import { KERNEL_SETS, type KernelSet } from '../support/kernel-sets.ts'
import { ALONE, NO_TOKENIZER, readingModel } from './support.ts'

const folders = [...checkpointFolders()].filter(([name]) => name !== 'marian-encoder-decoder')
const LIMIT = 2e-4

const WHAT = { probabilities: true, scores: true, pool: 0, pooling: 'max', measures: false } as const

describe.each(KERNEL_SETS.map(set => [set.name, set] as [string, KernelSet]))('%s', (_, set) => {
  it.each(folders)('%s', async (_, folder) => {
    const opened = await openModel(folder, { tokenizer: false })
    const [prompt] = await readExpected(expectedPath(folder), opened.config)
    if (!prompt?.hidden || !prompt.attention) throw new Error('no hidden states or patterns expected')
    await using model = await readingModel(opened, set)
    const reading = await TextReading.read(model, NO_TOKENIZER, prompt.tokens, ALONE)
    const [T, L, D] = [prompt.tokens.length, opened.config.nLayers, opened.config.hiddenSize]
    const H = prompt.attention.length / (L * T * T)
    for (const { layer, heads } of reading.info.layers) {
      const state = reading.hidden({ layer, rows: [0, T] }).values
      expect(worstError(state, prompt.hidden.subarray(layer * T * D, (layer + 1) * T * D))).toBeLessThan(LIMIT)
      const chosen = Array.from({ length: heads }, (_, h) => h)
      const maps = await reading.attention({ layer, heads: chosen, rows: [0, T], ...WHAT }, ALONE)
      for (const { head, probabilities, scores } of maps) {
        const want = prompt.attention.subarray((layer * H + head) * T * T, (layer * H + head + 1) * T * T)
        expect(worstError(probabilities as Float32Array, want)).toBeLessThan(LIMIT)
        expect(worstError(softmaxRows(scores as Float32Array, T), want)).toBeLessThan(LIMIT)
      }
    }
    for (const row of [0, T - 1]) {
      const [next] = await reading.next({ layers: [L], row, top: 3, logits: true }, ALONE)
      const V = opened.config.vocabSize
      expect(worstError(next?.logits as Float32Array, prompt.logits.subarray(row * V, (row + 1) * V))).toBeLessThan(
        LIMIT,
      )
    }
    await reading.dispose()
  })
})

function softmaxRows(scores: Float32Array, n: number): Float32Array {
  const p = new Float32Array(scores.length)
  for (let at = 0; at < p.length; at += n) {
    const row = Float64Array.from(scores.subarray(at, at + n))
    const max = Math.max(...row)
    const weights = row.map(x => Math.exp(x - max))
    const sum = weights.reduce((a, b) => a + b, 0)
    p.set(
      weights.map(w => w / sum),
      at,
    )
  }
  return p
}
