/** Which of the vectors that pass by while a layer is watched are its queries and keys, before and after their rotation. */
import type { AttentionConfig } from '../nn/attention/config.ts'
import { lastOf, splitHeads, type Tensor, view } from '../tensor/tensor.ts'

/** Vectors before and after their rotation; both the same where nothing rotates. */
export interface Rotated {
  readonly before: Tensor
  readonly after: Tensor
  /** f32 [rows, 2r]: cosines and sines of every row; null without rope. */
  readonly cosSin: Tensor | null
}

/** A call of `rope`. */
export interface Rotation extends Rotated {
  readonly cosSin: Tensor
  readonly interleaved: boolean
}

interface Passed {
  /** In their order. */
  readonly rotations: readonly Rotation[]
  /** What attention multiplies, of layers with keys of their own: [T, H, d]. */
  readonly query: Tensor
  /** Of MLA: what W_UQ makes, [T, rows of W_UQ]. */
  readonly projected: Tensor | null
  /** Keys as they are put into store: [T, G, d]; of MLA the rope key. */
  readonly key: Tensor
}

/**
 * MLA's rotations are known by their places: an indexer rotates too, and a query that grows with its position is multiplied twice. Of
 * other layers the query comes first.
 */
export function rotatedBy(a: AttentionConfig, { rotations, query, projected, key }: Passed): [Rotated, Rotated] {
  if (a.kind === 'grouped') {
    const [ofQuery, ofKey] = rotations
    // Norms may follow the rotation: what attention multiplies comes last.
    return [
      { before: ofQuery?.before ?? query, after: query, cosSin: ofQuery?.cosSin ?? null },
      { before: ofKey?.before ?? key, after: key, cosSin: ofKey?.cosSin ?? null },
    ]
  }
  const { qkNopeHeadDim: N, qkRopeHeadDim: R } = a
  const before = lastOf(splitHeads(projected as Tensor, a.nHeads), 0, N + R)
  const rotated = lastOf(before, N, R).address
  const ofQuery = rotations.find(one => one.before.address === rotated)
  const ofKey = rotations.find(one => one.after.address === key.address)
  return [ofQuery ? { before, ...joined(ofQuery, N, R) } : unrotated(before), ofKey ?? unrotated(key)]
}

/** What is rotated is the end of each query; it begins N numbers earlier. */
function joined({ after, cosSin }: Rotation, N: number, R: number): Pick<Rotated, 'after' | 'cosSin'> {
  return { after: view(after, -N, [...after.shape.slice(0, -1), N + R], after.strides), cosSin }
}

export function unrotated(x: Tensor): Rotated {
  return { before: x, after: x, cosSin: null }
}
