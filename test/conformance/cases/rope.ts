import { lastOf, type Tensor, view } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'

/** cos and sin of random angles. */
function angles(lab: Lab, T: number, r: number): Tensor {
  const values = new Float32Array(T * 2 * r)
  for (let t = 0; t < T; t++) {
    for (let i = 0; i < r; i++) {
      const angle = 2 * Math.PI * lab.rng.uniform()
      values[t * 2 * r + i] = Math.cos(angle)
      values[t * 2 * r + r + i] = Math.sin(angle)
    }
  }
  return lab.input('f32', [T, 2 * r], values)
}

const SHAPES = [
  { T: 5, H: 3, n: 8, r: 4 },
  { T: 1, H: 1, n: 2, r: 1 },
  { T: 4, H: 1, n: 14, r: 7 },
  { T: 3, H: 5, n: 66, r: 33 },
  { T: 4, H: 2, n: 13, r: 3 },
  { T: 1, H: 16, n: 64, r: 32 },
  { T: 20, H: 4, n: 100, r: 16 },
  { T: 0, H: 2, n: 6, r: 3 },
]

const rotations = [true, false].flatMap(interleaved => {
  const pairs = interleaved ? 'neighbours' : 'halves'
  return [
    ...SHAPES.map(
      ({ T, H, n, r }): ConformanceCase => ({
        op: 'rope',
        name: `${pairs}, ${2 * r} of ${n}, T ${T} H ${H}`,
        record(lab) {
          const cosSin = angles(lab, T, r)
          lab.k.rope(lab.output('y', 'f32', [T, H, n]), lab.normals([T, H, n]), cosSin, interleaved)
        },
      }),
    ),
    {
      op: 'rope',
      name: `${pairs}, from a fused projection into a longer query`,
      record(lab) {
        const x = lastOf(lab.normals([6, 3, 20]), 9, 11)
        const y = lab.output('y', 'f32', [6, 3, 27], whole => lastOf(whole, 16, 11))
        lab.k.rope(y, x, angles(lab, 6, 5), interleaved)
      },
    },
    {
      op: 'rope',
      name: `${pairs}, the shared key in place in its row`,
      record(lab) {
        const part = (whole: Tensor) => view(whole, 15, [7, 1, 8], [23, 23, 1])
        const y = lab.inout('y', 'f32', [7, 23], lab.rng.normals(7 * 23), part)
        lab.k.rope(y, y, angles(lab, 7, 4), interleaved)
      },
    },
    {
      op: 'rope',
      name: `${pairs}, in place with a part that is only kept`,
      record(lab) {
        const y = lab.inout('y', 'f32', [3, 2, 40], lab.rng.normals(240))
        lab.k.rope(y, y, angles(lab, 3, 9), interleaved)
      },
    },
    {
      op: 'rope',
      name: `${pairs}, NaN and infinity stay in their pair`,
      record(lab) {
        const x = lab.rng.normals(2 * 1 * 36)
        x[3] = Number.NaN
        x[36 + 8] = Number.POSITIVE_INFINITY
        x[71] = Number.NEGATIVE_INFINITY
        lab.k.rope(lab.output('y', 'f32', [2, 1, 36]), lab.input('f32', [2, 1, 36], x), angles(lab, 2, 17), interleaved)
      },
    },
  ] satisfies ConformanceCase[]
})

export const ropeCases: readonly ConformanceCase[] = rotations
