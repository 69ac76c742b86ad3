/** One query and one key of one head, worked: every number on the way from q and k to what is added to the stream. */
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { AttendingLayer } from '../nn/config.ts'
import type { LayerWeights } from '../nn/weights.ts'
import { rowsOf, type Tensor } from '../tensor/tensor.ts'
import { chainsOf, headOutputs, recordHead, withMemory } from './heads.ts'
import type { Questions } from './questions.ts'
import type { Cell, CellPath, CellRotation, HeadVectors, RotatedVector } from './types.ts'
import { headVectors } from './vectors.ts'
import type { WatchedLayer } from './watched-layer.ts'

/** A query's row of one head, by the kernels; what is not seen is -Infinity and 0. */
interface HeadRow {
  readonly scores: Float32Array
  readonly probabilities: Float32Array
}

/** `layers`: the same layer by each path that it has; the first is the one that the model takes for the query. */
export async function workedCell(
  kernels: Kernels,
  layers: readonly WatchedLayer[],
  { layer: index, head, query, key, neighbours }: Questions['cell'],
  keys: number,
  causal: boolean,
  pause: () => Promise<void>,
): Promise<Cell> {
  const own = layers[0] as WatchedLayer
  const { config, weights } = own
  const { attention: c } = config
  const ofQuery = await headVectors(kernels, own, { head, rows: [query, query + 1] }, pause)
  const ofKey = await headVectors(kernels, own, { head, rows: [key, key + 1] }, pause)
  const isSeen = (s: number) => !causal || (s <= query && (config.window === null || s > query - config.window))
  const paths: CellPath[] = []
  let row: HeadRow | null = null
  for (const layer of layers) {
    const found = await headRow(kernels, layer, head, query, keys, isSeen, pause)
    row ??= found
    const output = await headOutputs(kernels, layer, head, [query, query + 1], pause)
    paths.push({ ...workedPath(layer, query, ofQuery, ofKey), ...at(found, key), output })
  }
  const { scores, probabilities } = row as HeadRow
  const best = Array.from(probabilities, (probability, position) => ({ position, probability }))
    .filter(({ position }) => isSeen(position))
    .sort((a, b) => b.probability - a.probability || a.position - b.position)
    .slice(0, neighbours)
  const weighted = ofKey.values.map(x => x * (probabilities[key] as number))
  return {
    layer: index,
    head,
    query,
    key,
    seen: isSeen(key),
    scale: c.softmaxScale,
    ...at({ scores, probabilities }, key),
    paths,
    neighbours: best.map(({ position, probability }) => {
      return { position, score: scores[position] as number, probability }
    }),
    value: ofKey.values,
    weighted,
    output: (paths[0] as CellPath).output,
    contribution: await projected(kernels, config, weights, head, weighted, pause),
    input: await readRow(kernels, own.input, key, pause),
    rotation: own.cosSin && (await rotationOf(kernels, own, own.cosSin, ofQuery, ofKey, query, key, pause)),
    latent: ofKey.latent ? { latent: ofKey.latent.latents, ropeKey: ofKey.latent.ropeKeys } : null,
  }
}

function at({ scores, probabilities }: HeadRow, key: number): { readonly score: number; readonly probability: number } {
  return { score: scores[key] as number, probability: probabilities[key] as number }
}

async function headRow(
  kernels: Kernels,
  layer: WatchedLayer,
  head: number,
  query: number,
  keys: number,
  isSeen: (s: number) => boolean,
  pause: () => Promise<void>,
): Promise<HeadRow> {
  return withMemory(kernels, async take => {
    const scores = take([1, 1, keys])
    const p = take([1, 1, keys])
    for (const { calls, from, to } of chainsOf(layer, [query, query + 1])) {
      const { lse } = recordHead(kernels, take, calls, head, [from, to], scores)
      kernels.probabilities(p, scores, lse)
    }
    await kernels.submit(pause)
    const read = async (t: Tensor) => (await kernels.memory.read(t)) as Float32Array
    return {
      scores: (await read(scores)).map((x, s) => (isSeen(s) ? x : Number.NEGATIVE_INFINITY)),
      probabilities: (await read(p)).map((x, s) => (isSeen(s) ? x : 0)),
    }
  })
}

/** The dot product of one path in f64, of the very numbers that the kernels multiply. */
function workedPath(
  { config: { attention: c }, calls, cosSin }: WatchedLayer,
  position: number,
  ofQuery: HeadVectors,
  ofKey: HeadVectors,
): Omit<CellPath, 'score' | 'probability' | 'output'> {
  const { path } = calls.find(({ first, count }) => position >= first && position < first + count) ?? {
    path: 'grouped',
  }
  const { queries: q } = ofQuery
  let [query, key] = [q, ofKey.keys]
  let rope: readonly [from: number, to: number] = [0, cosSin ? (cosSin.shape[1] as number) : 0]
  if (c.kind === 'latent') {
    const { qkNopeHeadDim: N, qkRopeHeadDim: R, kvLoraRank: C } = c
    rope = [N, N + R]
    if (path === 'absorbed' && ofQuery.latent && ofKey.latent) {
      query = joined(ofQuery.latent.absorbedQueries, q.subarray(N))
      key = joined(ofKey.latent.latents, ofKey.latent.ropeKeys)
      rope = [C, C + R]
    }
  }
  const dot = dotOf(query, key, 0, query.length)
  const ropeDot = dotOf(query, key, ...rope)
  const plainDot = dotOf(query, key, 0, rope[0]) + dotOf(query, key, rope[1], query.length)
  return { path, query, key, rope, plainDot, ropeDot, dot, worked: dot * c.softmaxScale }
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const all = new Float32Array(a.length + b.length)
  all.set(a)
  all.set(b, a.length)
  return all
}

function dotOf(a: Float32Array, b: Float32Array, from: number, to: number): number {
  let sum = 0
  for (let i = from; i < to; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}

/** W_O of one head's value, without its bias: f32 [D]. */
async function projected(
  kernels: Kernels,
  { attention: c }: AttendingLayer,
  { attention: { weights } }: LayerWeights,
  head: number,
  value: Float32Array,
  pause: () => Promise<void>,
): Promise<Float32Array> {
  return withMemory(kernels, async take => {
    const all = new Float32Array(c.nHeads * value.length)
    all.set(value, head * value.length)
    const x = take([1, all.length])
    const y = take([1, weights.out.weight.rows])
    kernels.memory.upload(x, all)
    kernels.matmul(y, x, weights.out.weight)
    await kernels.submit(pause)
    return (await kernels.memory.read(y)) as Float32Array
  })
}

async function readRow(kernels: Kernels, x: Tensor, row: number, pause: () => Promise<void>): Promise<Float32Array> {
  return withMemory(kernels, async take => {
    const y = take([1, x.shape[1] as number])
    kernels.copy(y, rowsOf(x, row, 1))
    await kernels.submit(pause)
    return (await kernels.memory.read(y)) as Float32Array
  })
}

async function rotationOf(
  kernels: Kernels,
  layer: WatchedLayer,
  cosSin: Tensor,
  ofQuery: HeadVectors,
  ofKey: HeadVectors,
  query: number,
  key: number,
  pause: () => Promise<void>,
): Promise<CellRotation> {
  const { attention: c } = layer.config
  const size = cosSin.shape[1] as number
  const start = c.kind === 'latent' ? c.qkNopeHeadDim : 0
  const cut = (x: Float32Array | undefined) => (x as Float32Array).slice(start, start + size)
  const one = async (
    position: number,
    before: Float32Array | undefined,
    after: Float32Array,
  ): Promise<RotatedVector> => {
    const angles = await readRow(kernels, cosSin, position, pause)
    return {
      position,
      before: cut(before),
      after: cut(after),
      cos: angles.slice(0, size / 2),
      sin: angles.slice(size / 2),
    }
  }
  return {
    start,
    interleaved: layer.interleaved,
    query: await one(query, ofQuery.unrotated?.queries, ofQuery.queries),
    key: await one(key, ofKey.unrotated?.keys, ofKey.keys),
  }
}
