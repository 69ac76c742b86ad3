/** Queries, keys and values of one head, and for MLA what they are raised from. */
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { LatentAttentionConfig } from '../nn/attention/config.ts'
import type { LatentWeights } from '../nn/attention/mla.ts'
import { absorbQueries, expandLatents } from '../nn/attention/mla-up.ts'
import { lastOf, rowsOf, type Tensor, view } from '../tensor/tensor.ts'
import { headView, sharedHead, type Take, withMemory } from './heads.ts'
import type { Questions, Span } from './questions.ts'
import type { HeadVectors } from './types.ts'
import type { WatchedLayer } from './watched-layer.ts'

/** The vectors of rows from .. to. */
export async function headVectors(
  kernels: Kernels,
  layer: WatchedLayer,
  { head, rows }: Pick<Questions['vectors'], 'head' | 'rows'>,
  pause: () => Promise<void>,
): Promise<HeadVectors> {
  return withMemory(kernels, async take => {
    const tensors = recordVectors(kernels, take, layer, head, rows)
    const flat = Object.entries(tensors).map(([name, x]) => {
      // What was recorded may be a part of something wider.
      const whole = take(x.shape)
      kernels.copy(whole, x)
      return [name, whole] as const
    })
    await kernels.submit(pause)
    const read = new Map<string, Float32Array>()
    for (const [name, x] of flat) read.set(name, (await kernels.memory.read(x)) as Float32Array)
    const get = (name: string) => read.get(name) as Float32Array
    return {
      layer: layer.index,
      head,
      start: rows[0],
      rows: rows[1] - rows[0],
      queries: get('queries'),
      keys: get('keys'),
      values: get('values'),
      ...(layer.cosSin && { unrotated: { queries: get('queriesBefore'), keys: get('keysBefore') } }),
      ...(layer.config.attention.kind === 'latent' && {
        latent: {
          latents: get('latents'),
          ropeKeys: get('ropeKeys'),
          absorbedQueries: get('absorbedQueries'),
        },
      }),
    }
  })
}

/** By name, f32 [rows, size], strided. */
function recordVectors(
  kernels: Kernels,
  take: Take,
  layer: WatchedLayer,
  head: number,
  [from, to]: Span,
): Record<string, Tensor> {
  const cut = (t: Tensor) => rowsOf(t, from, to - from)
  const { queries, keys, stored } = layer
  const { attention: c } = layer.config
  const { attention: w } = layer.weights
  const ofQueries = {
    queries: headView(cut(queries.after), head),
    queriesBefore: headView(cut(queries.before), head),
  }
  if (c.kind === 'latent' && w.kind === 'latent') {
    return { ...ofQueries, ...recordLatent(kernels, take, layer, c, w.weights, head, [from, to]) }
  }
  const own = (t: Tensor) => headView(cut(t), sharedHead(head, t.shape[1] as number, c.nHeads))
  return {
    ...ofQueries,
    keys: own(stored.get('key') as Tensor),
    keysBefore: own(keys.before),
    values: own(stored.get('value') as Tensor),
  }
}

function recordLatent(
  kernels: Kernels,
  take: Take,
  { queries, keys, stored }: WatchedLayer,
  c: LatentAttentionConfig,
  w: LatentWeights,
  head: number,
  [from, to]: Span,
): Record<string, Tensor> {
  const { nHeads: H, kvLoraRank: C, qkNopeHeadDim: N, qkRopeHeadDim: R, vHeadDim: V } = c
  const n = to - from
  const cut = (t: Tensor) => rowsOf(t, from, n)
  const latents = take([n, C])
  kernels.copy(latents, headView(cut(stored.get('latent') as Tensor), 0))
  const raised = take([n, H, N + V])
  expandLatents(kernels, raised, latents, w.keyValueUp, c, 'f32')
  const ropeKeys = headView(cut(stored.get('ropeKey') as Tensor), 0)
  const joined = (rope: Tensor) => {
    const key = take([n, N + R])
    kernels.copy(lastOf(key, 0, N), lastOf(headView(raised, head), 0, N))
    kernels.copy(lastOf(key, N, R), rope)
    return key
  }
  const absorbed = take([n, H, C])
  absorbQueries(kernels, absorbed, lastOf(cut(queries.after), 0, N), w.keyValueUp, c)
  const values = headView(raised, head)
  return {
    keys: joined(ropeKeys),
    keysBefore: joined(headView(cut(keys.before), 0)),
    values: view(values, N, [n, V], values.strides),
    latents,
    ropeKeys,
    absorbedQueries: headView(absorbed, head),
  }
}
