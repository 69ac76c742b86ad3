/** The form of a module of multi-token prediction. */
import { expect, it } from 'vitest'
import { ownIndexer } from '../../src/nn/attention/config.ts'
import type { LayerConfig, ModelConfig } from '../../src/nn/config.ts'
import { predictionConfig } from '../../src/nn/prediction.ts'
import { MIXED } from './mixed-model.ts'

it('chooses its keys itself, also where the last layer takes the choice of another', () => {
  const indexer = { nHeads: 2, headDim: 8, topK: 5, shared: false, interleaved: false }
  const [first] = MIXED.layers as [LayerConfig]
  const withIndexer = (shared: boolean) => {
    return { ...first, attention: { ...first.attention, indexer: { ...indexer, shared } } } as LayerConfig
  }
  const model: ModelConfig = { ...MIXED, nLayers: 2, layers: [withIndexer(false), withIndexer(true)] }
  expect(predictionConfig(model).layers.map(({ attention }) => ownIndexer(attention))).toEqual([indexer])
})
