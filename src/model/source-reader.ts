import type { SourceRows } from '../cache/source-rows.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import { type CrossWeights, storeSource } from '../nn/attention/cross.ts'
import type { KeyStore } from '../nn/attention/keys.ts'
import type { StepGroup } from '../nn/attention/runs.ts'
import { crossRows } from '../nn/cache-layout.ts'
import { type Capture, captureLast, type Decoder, finalStates, stream } from '../nn/decoder.ts'
import type { Scratch } from '../nn/scratch.ts'
import { blockTables, putSequences, type Row } from '../nn/sequences.ts'
import { wholeTexts } from './whole-texts.ts'

export interface SourceReading {
  readonly kernels: Kernels
  readonly scratch: Scratch
  readonly encoder: Decoder
  /** Whose cross-attention reads the sources. */
  readonly decoder: Decoder
  /** The decoder's cache. */
  readonly keys: KeyStore
}

/**
 * Reads source texts with the encoder, and stores the keys and values that cross-attention finds there; their blocks are reserved. Yields
 * the fraction of the layers that is done between two of them, where the caller may submit and wait, or abandon it. `capture`: of one source.
 */
export function* readSources(
  { kernels, scratch, encoder, decoder, keys }: SourceReading,
  sources: readonly SourceRows[],
  capture: Pick<Capture, 'hidden' | 'attention'> = {},
): Generator<number, void, void> {
  const { config, weights } = decoder
  const { backend, step } = wholeTexts(
    kernels,
    scratch,
    encoder,
    sources.map(({ ids }) => ({ tokens: ids })),
  )
  const group = sourceRuns(kernels, scratch, sources)
  const share = encoder.config.nLayers / (encoder.config.nLayers + config.nLayers)
  const layers = stream(backend, encoder, step, capture)
  let layer = layers.next()
  for (; !layer.done; layer = layers.next()) yield share * layer.value
  const states = finalStates(backend, encoder, layer.value)
  if (capture.hidden) captureLast(backend, encoder, states, capture.hidden)
  for (const [i, { cross }] of config.layers.entries()) {
    yield share + (1 - share) * (i / config.nLayers)
    if (!cross) throw new TypeError(`readSources: layer ${i} of ${config.modelType} has no cross-attention`)
    const by = weights.layers[i]?.cross as CrossWeights
    storeSource({ ops: kernels, scratch, keys }, by, cross, states, crossRows(i, config.nLayers), group)
  }
}

/** Where the rows of each source go. */
function sourceRuns({ memory }: Kernels, scratch: Scratch, sources: readonly SourceRows[]): StepGroup {
  const tables = blockTables(
    sources.map(cache => ({ cache })),
    0,
  )
  let start = 0
  const rows = sources.map(({ length }, i): Row => {
    start += length
    return [start - length, length, 0, 0, length, tables.starts[i] as number]
  })
  const sequences = putSequences(memory, scratch, rows, tables)
  return { all: [{ start: 0, count: start, sequences, firstRow: 0, queries: null }], absorbed: [], expanded: [] }
}
