/**
 * What a reading shows is what transformers computes of the same text (`output_attentions`, `output_hidden_states` of
 * 5.23, in f64): every kind of attention, by the kernels of this machine and by the reference.
 */
import { describe, expect, it } from 'vitest'
import { type ExpectedPrompt, expectedPath, readExpected } from '../../src/inspection/verify/expected.ts'
import { worstError } from '../../src/inspection/verify/measure.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { TextReading } from '../../src/reading/reading.ts'
import { checkpointFolders, familyFolders } from '../support/all-fixtures.ts'
import { KERNEL_SETS, type KernelSet } from '../support/kernel-sets.ts'
import { ALONE, NO_TOKENIZER, readingModel } from './support.ts'

const folders = [...checkpointFolders(), ...familyFolders()]
/** Of logits WebAssembly has twice as much, as in `verify`. */
const LIMIT = 2e-4
/** Scores as they are worked out in f64, of those by the kernels. */
const WORKED = 1e-3

const WHAT = { probabilities: true, scores: true, pool: 0, pooling: 'max', measures: false } as const

describe.each(KERNEL_SETS.map(set => [set.name, set] as [string, KernelSet]))('%s', (_, set) => {
  it.each(folders)('%s', async (_, folder) => {
    const opened = await openModel(folder, { tokenizer: false })
    const { config } = opened
    const [prompt] = await readExpected(expectedPath(folder), config)
    if (!prompt) throw new Error('nothing is expected')
    const { hidden, attention } = prompt
    await using model = await readingModel(opened, set)
    const encoder = model.encoder && { kernels: model.kernels, decoder: model.encoder }
    const source = encoder && (await TextReading.read(encoder, NO_TOKENIZER, prompt.source?.tokens ?? [], ALONE))
    const read = (...changes: Parameters<typeof TextReading.read>[4] & object) =>
      TextReading.read(model, NO_TOKENIZER, prompt.tokens, ALONE, changes, source)
    const reading = await read()
    const [T, L, V] = [prompt.tokens.length, config.nLayers, config.vocabSize]
    if (hidden) checkStates(reading, hidden, config.layersInOne)
    if (attention) await checkMaps(reading, attention, false)
    expect(hidden ?? prompt.source?.hidden).toBeTruthy()
    expect(attention ?? prompt.source?.attention).toBeTruthy()
    if (source) await checkSource(reading, source, prompt)
    for (const row of [0, T - 1]) {
      const [next] = await reading.next({ layers: [L], row, top: 3, logits: true }, ALONE)
      const want = prompt.logits.subarray(row * V, (row + 1) * V)
      expect(worstError(next?.logits as Float32Array, want)).toBeLessThan(set.name === 'wasm' ? 2 * LIMIT : LIMIT)
    }
    // What a head found, put in its place again, changes nothing: gates, sinks, biases and chosen keys are in it.
    const { layer = 0 } = reading.info.layers.findLast(({ heads }) => heads > 0) ?? {}
    const again = await read({ kind: 'head', layer, head: 1, row: 0, from: reading, fromRow: 0, count: T })
    const leaving = (one: TextReading) => one.hidden({ layer: L, rows: [0, T] }).values
    expect(worstError(leaving(again), leaving(reading))).toBeLessThan(1e-5)
    await reading.dispose()
  })
})

/** `each`: layers of which the files have the states around all of them. */
function checkStates(reading: TextReading, want: Float32Array, each = 1): void {
  const { tokens, layers, hiddenSize: D } = reading.info
  const T = tokens.length
  for (const { layer } of layers) {
    if (layer % each > 0) continue
    const { values } = reading.hidden({ layer, rows: [0, T] })
    const at = (layer / each) * T * D
    expect(worstError(values, want.subarray(at, at + T * D))).toBeLessThan(LIMIT)
  }
}

/** want: [L, H, T, keys], H being that of the layer with the most heads. */
async function checkMaps(reading: TextReading, want: Float32Array, cross: boolean): Promise<void> {
  const { tokens, layers, source } = reading.info
  const T = tokens.length
  const S = cross ? (source?.tokens.length ?? 0) : T
  const H = want.length / (layers.length * T * S)
  for (const { layer, ...sizes } of layers) {
    const heads = Array.from({ length: cross ? sizes.crossHeads : sizes.heads }, (_, h) => h)
    if (heads.length === 0) continue
    const maps = await reading.attention({ layer, heads, rows: [0, T], cross, ...WHAT }, ALONE)
    for (const { head, probabilities, scores } of maps) {
      const own = want.subarray((layer * H + head) * T * S, (layer * H + head + 1) * T * S)
      expect(worstError(probabilities as Float32Array, own)).toBeLessThan(LIMIT)
      expect(worstError(softmaxRows(scores as Float32Array, own, S), own)).toBeLessThan(LIMIT)
    }
    const at = { layer, head: heads.length - 1, query: T - 1, key: Math.min(1, S - 1), neighbours: 1, cross }
    const { paths, score, probability, output, ...cell } = await reading.cell(at, ALONE)
    expect([score, probability]).toEqual([
      maps.at(-1)?.scores?.[(T - 1) * S + at.key],
      maps.at(-1)?.probabilities?.[(T - 1) * S + at.key],
    ])
    for (const path of paths) {
      if (cell.seen) expect(Math.abs(path.worked - path.score)).toBeLessThan(WORKED)
      expect(worstError(path.output, output)).toBeLessThan(LIMIT)
    }
  }
}

async function checkSource(reading: TextReading, source: TextReading, { source: want }: ExpectedPrompt): Promise<void> {
  if (want?.hidden) checkStates(source, want.hidden)
  if (want?.attention) await checkMaps(reading, want.attention, true)
}

/** The softmax of each row, as large a part as `want` gives to keys: a sink takes the rest. */
function softmaxRows(scores: Float32Array, want: Float32Array, n: number): Float32Array {
  const p = new Float32Array(scores.length)
  for (let at = 0; at < p.length; at += n) {
    const row = Float64Array.from(scores.subarray(at, at + n))
    const max = Math.max(...row)
    const weights = row.map(x => Math.exp(x - max))
    const sum = weights.reduce((a, b) => a + b, 0)
    const all = want.subarray(at, at + n).reduce((a, b) => a + b, 0)
    p.set(
      weights.map(w => (all * w) / sum),
      at,
    )
  }
  return p
}
