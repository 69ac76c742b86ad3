import type { HeadMatmulOptions } from '../../../src/kernels/contract/operation-options.ts'
import { lastOf, view } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'

/** MLA's kv_b: per head N rows that make keys, then V rows that make values, of C inputs. */
interface Shape {
  readonly T: number
  readonly H: number
  readonly N: number
  readonly V: number
  readonly C: number
}

const SHAPES: readonly Shape[] = [
  { T: 1, H: 1, N: 1, V: 1, C: 1 },
  { T: 1, H: 3, N: 10, V: 14, C: 20 },
  { T: 1, H: 16, N: 12, V: 16, C: 128 },
  { T: 2, H: 5, N: 12, V: 7, C: 33 },
  { T: 19, H: 3, N: 9, V: 21, C: 300 },
  { T: 6, H: 5, N: 64, V: 32, C: 48 },
  { T: 40, H: 2, N: 17, V: 3, C: 70 },
  { T: 0, H: 2, N: 3, V: 4, C: 5 },
]

const absorb = ({ N, V }: Shape): HeadMatmulOptions => ({ headRows: N + V, firstRow: 0, rows: N, transposed: true })
const raise = ({ N, V }: Shape): HeadMatmulOptions => ({ headRows: N + V, firstRow: N, rows: V, transposed: false })

function kvB(lab: Lab, { H, N, V, C }: Shape, dtype: 'f32' | 'f16' | 'bf16' | 'e4m3') {
  return lab.weight(dtype, H * (N + V), C, dtype === 'e4m3' ? { scales: [16, 16] } : {})
}

export const headMatmulCases: readonly ConformanceCase[] = (['f32', 'f16', 'bf16', 'e4m3'] as const).flatMap(dtype =>
  SHAPES.flatMap((shape): ConformanceCase[] => {
    const { T, H, N, V, C } = shape
    const sizes = `${dtype} T ${T} H ${H} N ${N} V ${V} C ${C}`
    return [
      {
        op: 'headMatmul',
        name: `absorbs a query, strided, ${sizes}`,
        async record(lab) {
          const w = await kvB(lab, shape, dtype)
          // The nope part of a query into the latent part of a longer one.
          const x = lastOf(lab.normals([T, H, N + 6]), 0, N)
          const y = lab.output('y', 'f32', [T, H, C + 6], whole => lastOf(whole, 0, C))
          lab.k.headMatmul(y, x, w, absorb(shape))
        },
      },
      {
        op: 'headMatmul',
        name: `raises an output, ${sizes}`,
        async record(lab) {
          const w = await kvB(lab, shape, dtype)
          lab.k.headMatmul(lab.output('y', 'f32', [T, H, V]), lab.normals([T, H, C]), w, raise(shape))
        },
      },
      {
        op: 'headMatmul',
        name: `expands one latent for all heads by stride 0, ${sizes}`,
        async record(lab) {
          const w = await kvB(lab, shape, dtype)
          const x = view(lab.normals([T, C + 3]), 2, [T, H, C], [C + 3, 0, 1])
          lab.k.headMatmul(lab.output('y', 'f32', [T, H, V]), x, w, raise(shape))
        },
      },
    ]
  }),
)
