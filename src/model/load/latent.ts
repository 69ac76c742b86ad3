/** The weights of multi-head latent attention. */

import type { LatentNames } from '../../families/family.ts'
import { attendedSize, INDEX_NORM_EPS, type LatentAttentionConfig, ownIndexer } from '../../nn/attention/config.ts'
import type { LatentWeights } from '../../nn/attention/mla.ts'
import type { KeyValueUp } from '../../nn/attention/mla-up.ts'
import type { Linear } from '../../nn/layers.ts'
import type { Loader } from './loader.ts'
import { valuePart, withValueBias } from './value-bias.ts'

export async function loadLatent(
  loader: Loader,
  at: string,
  c: LatentAttentionConfig,
  n: LatentNames,
): Promise<LatentWeights> {
  const { hiddenSize: D, bias } = loader.config
  const heads = c.nHeads * (c.qkNopeHeadDim + c.qkRopeHeadDim)
  const Q = c.qLoraRank
  const small = c.constantNorm === true
  const norm = (name: string, size: number) => loader.norm(at + name, size, { kind: 'rms', eps: c.latentNormEps })
  return {
    queryDown: Q
      ? {
          linear: await loader.linear(at + n.queryDown, Q, D, bias.qkv, small ? 'small' : 'matrix'),
          norm: await norm(n.queryDownNorm, Q),
        }
      : null,
    query: Q
      ? await loader.linear(at + n.queryUp, c.gated ? heads + c.nHeads * c.vHeadDim : heads, c.gated ? 2 * Q : Q)
      : await loader.linear(at + n.query, heads, D),
    keyValueDown: await loader.linear(
      at + n.keyValueDown,
      c.kvLoraRank + c.qkRopeHeadDim,
      D,
      bias.qkv,
      small ? 'small' : 'latent',
    ),
    latentNorm: await norm(n.latentNorm, c.kvLoraRank),
    keyValueUp: await loadKeyValueUp(loader, at, c, n),
    ...(c.headGate && n.headGate && { headGate: await loader.linear(at + n.headGate, c.nHeads, D) }),
    out: await loadLatentOut(loader, at, c, n),
    ...(await loadIndexer(loader, at, c, n)),
  }
}

async function loadIndexer(
  loader: Loader,
  at: string,
  c: LatentAttentionConfig,
  n: LatentNames,
): Promise<Pick<LatentWeights, 'indexer'>> {
  const own = ownIndexer(c)
  if (!own || !n.indexer || c.qLoraRank === null) return {}
  const { hiddenSize: D } = loader.config
  const { query, key, keyNorm, weights } = n.indexer
  return {
    indexer: {
      query: await loader.linear(at + query, own.nHeads * own.headDim, c.qLoraRank),
      // What it chooses depends on all later tokens' queries, as the latent does; and a rounded weight of a head may choose another key.
      key: await loader.linear(at + key, own.headDim, D, false, 'latent'),
      keyNorm: await loader.norm(at + keyNorm, own.headDim, { kind: 'layer', eps: INDEX_NORM_EPS }),
      weights: await loader.linear(at + weights, own.nHeads, D, false, 'router'),
    },
  }
}

/** With the bias of the values taken in, where they have one. */
async function loadLatentOut(loader: Loader, at: string, c: LatentAttentionConfig, n: LatentNames): Promise<Linear> {
  const { hiddenSize: D, bias } = loader.config
  const { nHeads: H, qkNopeHeadDim: N, vHeadDim: V } = c
  const of = (name: string, length: number) => loader.optionalVector(`${at}${name}.bias`, length)
  const joined = of(n.keyValueUp, H * (N + V))
  of(n.keyUp, H * N)
  const values = of(n.valueUp, H * V)
  const out = at + n.out
  const found = values ?? joined
  if (!found) return loader.linear(out, D, attendedSize(c), bias.attentionOut)
  const source = withValueBias(
    loader.checkpoint.matrix(`${out}.weight`, D, H * V),
    () => valuePart(found, H, V),
    of(n.out, D),
  )
  const weight = await loader.matrix(`${out}.weight`, D, H * V)
  const adapter = await loader.adapter(out, D, H * V)
  if (adapter.adapter) {
    throw loader.unsupported(
      found.name,
      'a bias that is computed with as a part of the output, which the adapter changes',
    )
  }
  return { weight, bias: await loader.prepared(source, found.bytes.length) }
}

async function loadKeyValueUp(
  loader: Loader,
  at: string,
  c: LatentAttentionConfig,
  n: LatentNames,
): Promise<KeyValueUp> {
  const { nHeads: H, kvLoraRank: C, qkNopeHeadDim: N, vHeadDim: V } = c
  const named = (name: string) => `${at}${name}.weight`
  const adapter = await loader.adapter(at + n.keyValueUp, H * (N + V), C)
  if (loader.checkpoint.has(named(n.keyValueUp)) || !loader.checkpoint.has(named(n.keyUp))) {
    return { kind: 'joined', weight: await loader.matrix(named(n.keyValueUp), H * (N + V), C), ...adapter }
  }
  return {
    kind: 'split',
    key: await loader.matrix(named(n.keyUp), H * C, N),
    value: await loader.matrix(named(n.valueUp), H * V, C),
    ...adapter,
  }
}
