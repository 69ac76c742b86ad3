import type { Factors } from '../../src/kernels/contract/operation-options.ts'
import type { Weight } from '../../src/kernels/contract/weights.ts'
import { rowsOf, type Tensor, view } from '../../src/tensor/tensor.ts'
import type { Lab } from './lab.ts'

export interface RowOperation {
  /** Of a row of the result. */
  readonly width: number
  /** Rows of x start with row t of the batch. */
  run(y: Tensor, x: Tensor, t: number): void
}

/** Operations that act on each row of [T, n] by itself. */
export const ROW_OPERATIONS: Readonly<Record<string, (lab: Lab, n: number, m: number) => Promise<RowOperation>>> = {
  rmsNorm: async (lab, n) => {
    const weight = lab.normals([n])
    return { width: n, run: (y, x) => lab.k.rmsNorm(y, x, weight, 1e-6) }
  },
  layerNorm: async (lab, n) => {
    const weight = lab.normals([n])
    return { width: n, run: (y, x) => lab.k.layerNorm(y, x, weight, weight, 1e-6) }
  },
  'matmul f32': (lab, n, m) => product(lab, lab.weight('f32', m, n), m),
  'matmul f16': (lab, n, m) => product(lab, lab.weight('f16', m, n), m),
  'matmul bf16': (lab, n, m) => product(lab, lab.weight('bf16', m, n), m),
  'matmul e4m3': (lab, n, m) => product(lab, lab.weight('e4m3', m, n, { scales: [16, 16] }), m),
  trainingMatmul: (lab, n, m) => trainingProduct(lab, n, m, 'f32'),
  'trainingMatmul, factors bf16': (lab, n, m) => trainingProduct(lab, n, m, 'bf16'),
  'headMatmul, absorbing': async (lab, n, m) => {
    const w = await lab.weight('bf16', 3 * (n + 2), m)
    const options = { headRows: n + 2, firstRow: 0, rows: n, transposed: true }
    return { width: 3 * m, run: (y, x) => lab.k.headMatmul(heads(y, 3), repeated(x, 3), w, options) }
  },
  'headMatmul, raising': async (lab, n, m) => {
    const w = await lab.weight('f32', 2 * (m + 1), n)
    const options = { headRows: m + 1, firstRow: 1, rows: m, transposed: false }
    return { width: 2 * m, run: (y, x) => lab.k.headMatmul(heads(y, 2), repeated(x, 2), w, options) }
  },
  // What is raised has a size of its own: whole tiles of rows.
  'headMatmul, raising keys in bf16': async lab => {
    const w = await lab.weight('q8_0', 2 * 64, 96)
    const latents = lab.normals([70, 64])
    const options = { headRows: 64, firstRow: 0, rows: 64, transposed: true, factors: 'bf16' } as const
    return {
      width: 2 * 96,
      run: (y, x, t) =>
        lab.k.headMatmul(heads(y, 2), repeated(rowsOf(latents, t, x.shape[0] as number), 2), w, options),
    }
  },
  gelu: async (lab, n) => ({ width: n, run: (y, x) => lab.k.activate(y, x, 'gelu') }),
  silu: async (lab, n) => ({ width: n, run: (y, x) => lab.k.gate(y, x, x, 'silu') }),
  axpby: async (lab, n) => ({ width: n, run: (y, x) => lab.k.axpby(y, 0.3, x, 0.7, x) }),
}

async function product(lab: Lab, weight: Promise<Weight>, width: number): Promise<RowOperation> {
  const w = await weight
  const bias = lab.normals([width])
  return { width, run: (y, x) => lab.k.matmul(y, x, w, { bias }) }
}

async function trainingProduct(lab: Lab, n: number, width: number, factors: Factors): Promise<RowOperation> {
  const w = await lab.weight('f32', width, n)
  const bias = lab.normals([width])
  return { width, run: (y, x) => lab.k.trainingMatmul(y, x, w, { bias, factors }) }
}

/** [T, n] as [T, H, n / H]. */
function heads(t: Tensor, H: number): Tensor {
  const [T, n] = t.shape as [number, number]
  return view(t, 0, [T, H, n / H])
}

/** [T, n] as [T, H, n], the same row for every head. */
function repeated(t: Tensor, H: number): Tensor {
  const [T, n] = t.shape as [number, number]
  return view(t, 0, [T, H, n], [n, 0, 1])
}
