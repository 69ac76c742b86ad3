/** Queries, keys and values of one head, and for MLA what they are raised from. */
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { LatentAttentionConfig } from '../nn/attention/config.ts'
import { absorbQueries, expandLatents, type KeyValueUp } from '../nn/attention/mla-up.ts'
import { lastOf, rowsOf, type Tensor, view } from '../tensor/tensor.ts'
import { headView, sharedHead, type Take, withMemory } from './heads.ts'
import type { Questions, Span } from './questions.ts'
import type { HeadVectors } from './types.ts'
import type { WatchedLayer } from './watched-layer.ts'

/** What rows of a text have as queries. */
export interface QueryVectors {
  /** f32 [rows, keySize] */
  readonly queries: Float32Array
  readonly queriesBefore: Float32Array
  /** f32 [rows, C]; MLA only. */
  readonly absorbedQueries?: Float32Array
}

/** What rows of a text, or of a source, have as keys. */
export interface KeyVectors {
  /** f32 [rows, keySize] */
  readonly keys: Float32Array
  readonly keysBefore: Float32Array
  /** f32 [rows, V] */
  readonly values: Float32Array
  /** f32 [rows, C]; MLA only, as the next. */
  readonly latents?: Float32Array
  /** f32 [rows, R] */
  readonly ropeKeys?: Float32Array
}

/** The vectors of rows from .. to. */
export async function headVectors(
  kernels: Kernels,
  layer: WatchedLayer,
  { head, rows }: Pick<Questions['vectors'], 'head' | 'rows'>,
  pause: () => Promise<void>,
): Promise<HeadVectors> {
  const { queries, queriesBefore, absorbedQueries } = await queryVectors(kernels, layer, head, rows, pause)
  const { keys, keysBefore, values, latents, ropeKeys } = await keyVectors(kernels, layer, head, rows, pause)
  return {
    layer: layer.index,
    head,
    start: rows[0],
    rows: rows[1] - rows[0],
    queries,
    keys,
    values,
    ...(layer.queries.cosSin && { unrotated: { queries: queriesBefore, keys: keysBefore } }),
    ...(absorbedQueries && latents && ropeKeys && { latent: { latents, ropeKeys, absorbedQueries } }),
  }
}

export async function queryVectors(
  kernels: Kernels,
  { queries, attention: c, up }: WatchedLayer,
  head: number,
  [from, to]: Span,
  pause: () => Promise<void>,
): Promise<QueryVectors> {
  const cut = (t: Tensor) => rowsOf(t, from, to - from)
  return readAll(kernels, pause, take => {
    const own = { queries: headView(cut(queries.after), head), queriesBefore: headView(cut(queries.before), head) }
    if (c.kind !== 'latent' || !up) return own
    return { ...own, absorbedQueries: recordAbsorbed(kernels, take, cut(queries.after), c, up, head) }
  })
}

export async function keyVectors(
  kernels: Kernels,
  layer: WatchedLayer,
  head: number,
  [from, to]: Span,
  pause: () => Promise<void>,
): Promise<KeyVectors> {
  const { attention: c, up, stored, keys } = layer
  const cut = (t: Tensor) => rowsOf(t, from, to - from)
  const own = (t: Tensor) => headView(cut(t), sharedHead(head, t.shape[1] as number, c.nHeads))
  return readAll(kernels, pause, take =>
    c.kind === 'latent' && up
      ? recordLatent(kernels, take, layer, c, up, head, [from, to])
      : {
          keys: own(stored.get('key') as Tensor),
          keysBefore: own(keys.before),
          values: own(stored.get('value') as Tensor),
        },
  )
}

/** The numbers of what is recorded, by name; each [rows, size], strided. */
async function readAll<Vectors>(
  kernels: Kernels,
  pause: () => Promise<void>,
  record: (take: Take) => Readonly<Record<string, Tensor>>,
): Promise<Vectors> {
  return withMemory(kernels, async take => {
    const flat = Object.entries(record(take)).map(([name, x]) => {
      // What was recorded may be a part of something wider.
      const whole = take(x.shape)
      kernels.copy(whole, x)
      return [name, whole] as const
    })
    await kernels.submit(pause)
    const read: [string, Float32Array][] = []
    for (const [name, x] of flat) read.push([name, (await kernels.memory.read(x)) as Float32Array])
    return Object.fromEntries(read) as Vectors
  })
}

/** queries [n, H, N + R] */
function recordAbsorbed(
  kernels: Kernels,
  take: Take,
  queries: Tensor,
  c: LatentAttentionConfig,
  up: KeyValueUp,
  head: number,
): Tensor {
  const absorbed = take([queries.shape[0] as number, c.nHeads, c.kvLoraRank])
  absorbQueries(kernels, absorbed, lastOf(queries, 0, c.qkNopeHeadDim), up, c)
  return headView(absorbed, head)
}

function recordLatent(
  kernels: Kernels,
  take: Take,
  { keys, stored }: WatchedLayer,
  c: LatentAttentionConfig,
  up: KeyValueUp,
  head: number,
  [from, to]: Span,
) {
  const { nHeads: H, kvLoraRank: C, qkNopeHeadDim: N, qkRopeHeadDim: R, vHeadDim: V } = c
  const n = to - from
  const cut = (t: Tensor) => rowsOf(t, from, n)
  const latents = take([n, C])
  kernels.copy(latents, headView(cut(stored.get('latent') as Tensor), 0))
  const raised = take([n, H, N + V])
  expandLatents(kernels, raised, latents, up, c, 'f32')
  const ropeKeys = headView(cut(stored.get('ropeKey') as Tensor), 0)
  const joined = (rope: Tensor) => {
    const key = take([n, N + R])
    kernels.copy(lastOf(key, 0, N), lastOf(headView(raised, head), 0, N))
    kernels.copy(lastOf(key, N, R), rope)
    return key
  }
  const values = headView(raised, head)
  return {
    keys: joined(ropeKeys),
    keysBefore: joined(headView(cut(keys.before), 0)),
    values: view(values, N, [n, V], values.strides),
    latents,
    ropeKeys,
  }
}
