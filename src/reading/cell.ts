/** One query and one key of one head, worked: every number on the way from q and k to what is added to the stream. */
import type { Kernels } from '../kernels/contract/kernels.ts'
import { lastOf, rowsOf, type Tensor } from '../tensor/tensor.ts'
import { type Chain, chainsOf, headOutputs, recordGate, recordHead, withMemory } from './heads.ts'
import type { Questions } from './questions.ts'
import type { Cell, CellPath, CellRotation, RotatedVector } from './types.ts'
import { type KeyVectors, keyVectors, type QueryVectors, queryVectors } from './vectors.ts'
import type { WatchedCall, WatchedLayer } from './watched-layer.ts'

/** A query's row of one head, by the kernels; what is not seen is -Infinity and 0. */
interface HeadRow {
  readonly scores: Float32Array
  readonly probabilities: Float32Array
}

/** `layers`: the same layer by each path that it has; the first is the one that the model takes for the query. */
export async function workedCell(
  kernels: Kernels,
  layers: readonly WatchedLayer[],
  { layer: index, head, query, key, neighbours }: Omit<Questions['cell'], 'cross'>,
  pause: () => Promise<void>,
): Promise<Cell> {
  const own = layers[0] as WatchedLayer
  const { attention: c, causal, window } = own
  const ofQuery = await queryVectors(kernels, own, head, [query, query + 1], pause)
  const ofKey = await keyVectors(kernels, own, head, [key, key + 1], pause)
  const isBefore = (s: number) => !causal || (s <= query && (window === null || s > query - window))
  const bias = await biasOf(kernels, own, head, query, key)
  const paths: CellPath[] = []
  let row: HeadRow | null = null
  for (const layer of layers) {
    const found = await headRow(kernels, layer, head, query, isBefore, pause)
    row ??= found
    const output = await headOutputs(kernels, layer, head, [query, query + 1], false, pause)
    paths.push({ ...workedPath(layer, query, ofQuery, ofKey, bias), ...at(found, key), output })
  }
  const { scores, probabilities } = row as HeadRow
  // Of the keys before a query some may not be among those that it chose.
  const isSeen = (s: number) => (scores[s] as number) > Number.NEGATIVE_INFINITY
  const best = Array.from(probabilities, (probability, position) => ({ position, probability }))
    .filter(({ position }) => isSeen(position))
    .sort((a, b) => b.probability - a.probability || a.position - b.position)
    .slice(0, neighbours)
  const weighted = ofKey.values.map(x => x * (probabilities[key] as number))
  const { latents, ropeKeys } = ofKey
  return {
    layer: index,
    head,
    query,
    key,
    seen: isSeen(key),
    scale: c.softmaxScale,
    bias,
    ...at({ scores, probabilities }, key),
    paths,
    neighbours: best.map(({ position, probability }) => {
      return { position, score: scores[position] as number, probability }
    }),
    value: ofKey.values,
    weighted,
    output: (paths[0] as CellPath).output,
    gate: await gateOf(kernels, own, head, query, weighted.length, pause),
    contribution: await projected(kernels, own, head, query, weighted, pause),
    input: await readRow(kernels, own.input, key, pause),
    rotation: await rotationOf(kernels, own, ofQuery, ofKey, query, key, pause),
    latent: latents && ropeKeys ? { latent: latents, ropeKey: ropeKeys } : null,
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
  isBefore: (s: number) => boolean,
  pause: () => Promise<void>,
): Promise<HeadRow> {
  return withMemory(kernels, async take => {
    const scores = take([1, 1, layer.keyCount])
    const p = take([1, 1, layer.keyCount])
    for (const { calls, from, to } of chainsOf(layer, [query, query + 1])) {
      const { lse } = recordHead(kernels, take, calls, head, [from, to], scores)
      kernels.probabilities(p, scores, lse)
    }
    await kernels.submit(pause)
    const read = async (t: Tensor) => (await kernels.memory.read(t)) as Float32Array
    return {
      scores: (await read(scores)).map((x, s) => (isBefore(s) ? x : Number.NEGATIVE_INFINITY)),
      probabilities: (await read(p)).map((x, s) => (isBefore(s) ? x : 0)),
    }
  })
}

/** What the distance of query and key adds to the score. */
async function biasOf(
  kernels: Kernels,
  layer: WatchedLayer,
  head: number,
  query: number,
  key: number,
): Promise<number> {
  const [chain] = chainsOf(layer, [query, query + 1])
  const [call] = (chain as Chain).calls
  const { args, position, first } = call as WatchedCall
  if (!args.bias) return 0
  const biases = (await kernels.memory.read(rowsOf(args.bias, head, 1))) as Float32Array
  const column = key - (position + query - first) - (args.biasStart ?? 0)
  return biases[Math.min(Math.max(column, 0), biases.length - 1)] as number
}

/** The dot product of one path in f64, of the very numbers that the kernels multiply. */
function workedPath(
  layer: WatchedLayer,
  query: number,
  ofQuery: QueryVectors,
  ofKey: KeyVectors,
  bias: number,
): Omit<CellPath, 'score' | 'probability' | 'output'> {
  const { attention: c, queries } = layer
  const [chain] = chainsOf(layer, [query, query + 1])
  const { path } = chain as Chain
  const q = ofQuery.queries
  let [left, right] = [q, ofKey.keys]
  let rope: readonly [from: number, to: number] = [0, queries.cosSin ? (queries.cosSin.shape[1] as number) : 0]
  if (c.kind === 'latent') {
    const { qkNopeHeadDim: N, qkRopeHeadDim: R, kvLoraRank: C } = c
    rope = [N, N + R]
    if (path === 'absorbed' && ofQuery.absorbedQueries && ofKey.latents && ofKey.ropeKeys) {
      left = joined(ofQuery.absorbedQueries, q.subarray(N))
      right = joined(ofKey.latents, ofKey.ropeKeys)
      rope = [C, C + R]
    }
    // Layers without rope have that part too; nothing turns it.
    if (!queries.cosSin) rope = [left.length, left.length]
  }
  const dot = dotOf(left, right, 0, left.length)
  const ropeDot = dotOf(left, right, ...rope)
  const plainDot = dotOf(left, right, 0, rope[0]) + dotOf(left, right, rope[1], left.length)
  return { path, query: left, key: right, rope, plainDot, ropeDot, dot, worked: dot * c.softmaxScale + bias }
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

/** What the head's finds are multiplied by for the query, f32 [V]; null where the layer has no gate. */
async function gateOf(
  kernels: Kernels,
  { gate }: WatchedLayer,
  head: number,
  query: number,
  V: number,
  pause: () => Promise<void>,
): Promise<Float32Array | null> {
  if (!gate) return null
  return withMemory(kernels, async take => {
    const factors = take([1, V])
    kernels.memory.upload(factors, new Float32Array(V).fill(1))
    recordGate(kernels, gate, head, query, factors)
    await kernels.submit(pause)
    return (await kernels.memory.read(factors)) as Float32Array
  })
}

/** W_O of one head's value, behind its gate and without the bias of W_O: f32 [D]. */
async function projected(
  kernels: Kernels,
  { attention: c, out, gate }: WatchedLayer,
  head: number,
  query: number,
  value: Float32Array,
  pause: () => Promise<void>,
): Promise<Float32Array> {
  return withMemory(kernels, async take => {
    const all = new Float32Array(c.nHeads * value.length)
    all.set(value, head * value.length)
    const x = take([1, all.length])
    const y = take([1, out.weight.rows])
    kernels.memory.upload(x, all)
    if (gate) recordGate(kernels, gate, head, query, lastOf(x, head * value.length, value.length))
    kernels.matmul(y, x, out.weight)
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

/** null without rope. */
async function rotationOf(
  kernels: Kernels,
  { attention: c, interleaved, queries, keys }: WatchedLayer,
  ofQuery: QueryVectors,
  ofKey: KeyVectors,
  query: number,
  key: number,
  pause: () => Promise<void>,
): Promise<CellRotation | null> {
  if (!queries.cosSin || !keys.cosSin) return null
  const size = queries.cosSin.shape[1] as number
  const start = c.kind === 'latent' ? c.qkNopeHeadDim : 0
  const cut = (x: Float32Array) => x.slice(start, start + size)
  const one = async (
    position: number,
    cosSin: Tensor,
    before: Float32Array,
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
    interleaved,
    query: await one(query, queries.cosSin, ofQuery.queriesBefore, ofQuery.queries),
    key: await one(key, keys.cosSin, ofKey.keysBefore, ofKey.keys),
  }
}
