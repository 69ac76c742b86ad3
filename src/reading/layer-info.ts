/** A layer's attention by its sizes. */
import type { RopeConfig } from '../nn/attention/rope.ts'
import { type AttendingLayer, attends, type LayerConfig, type ModelConfig } from '../nn/config.ts'
import type { ReadingLayer } from './types.ts'

export function layerInfo(
  { attention: a, rope, window, cross }: LayerConfig,
  layer: number,
  ropes: ModelConfig['ropes'],
): ReadingLayer {
  const crossHeads = cross?.nHeads ?? 0
  if (!attends(a)) {
    const none = { heads: 0, keyHeads: 0, keySize: 0, valueSize: 0, ropeSize: 0, sharedKeySize: 0, scale: 0 }
    return { layer, kind: a.kind, ...none, latentSize: null, window: null, topK: null, keysOf: null, crossHeads }
  }
  const common = { layer, kind: a.kind, heads: a.nHeads, scale: a.softmaxScale, window, crossHeads }
  if (a.kind === 'latent') {
    const { qkNopeHeadDim: N, qkRopeHeadDim: R, vHeadDim, kvLoraRank, indexer } = a
    const sizes = { keySize: N + R, valueSize: vHeadDim, ropeSize: rope === null ? 0 : R, sharedKeySize: R }
    return {
      ...common,
      keyHeads: a.nHeads,
      ...sizes,
      latentSize: kvLoraRank,
      topK: indexer?.topK ?? null,
      keysOf: null,
    }
  }
  return {
    ...common,
    keyHeads: a.nKvHeads,
    keySize: a.headDim,
    valueSize: a.headDim,
    ropeSize: rope === null ? 0 : (ropes[rope] as RopeConfig).dim,
    sharedKeySize: 0,
    latentSize: null,
    topK: null,
    keysOf: a.keysOf ?? null,
  }
}

/** Numbers of a token that a change of rank keeps: its latent, or its keys or values. */
export function storedWidth({ attention: a }: AttendingLayer): number {
  return a.kind === 'latent' ? a.kvLoraRank : a.nKvHeads * a.headDim
}
