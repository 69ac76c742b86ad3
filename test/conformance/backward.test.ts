/** The reference's backward rules against differences of its forward operations: the gradient of a weighted sum of their results. */
import { describe, expect, it } from 'vitest'
import type { RowSlice } from '../../src/kernels/contract/cached-rows.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { Activation, CrossEntropyOptions, RouteOptions } from '../../src/kernels/contract/operation-options.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { elementCount, lastOf, type Tensor, type TypedArray } from '../../src/tensor/tensor.ts'
import { Rng } from '../support/rng.ts'
import { weightSource } from '../support/weights.ts'

type Tensors = Readonly<Record<string, Tensor>>

interface Rule {
  /** Shapes of what is varied. */
  readonly inputs: Readonly<Record<string, readonly number[]>>
  /** Numbers of an input, where not all will do. */
  readonly values?: Readonly<Record<string, readonly number[]>>
  readonly forward: (k: Kernels, inputs: Tensors) => Tensor[] | Promise<Tensor[]>
  /** Gradients of the inputs by name, into tensors of zeros, from those of forward's results. */
  readonly backward: (k: Kernels, inputs: Tensors, dys: Tensor[], gradients: Tensors) => void | Promise<void>
}

/** Inputs lie on a grid, so that moved by a step they are f32, too. */
const GRID = 2 ** -10
const STEP = 2 ** -5

function put(k: Kernels, shape: readonly number[], data: ArrayLike<number>): Tensor {
  const t = k.memory.alloc('f32', shape)
  k.memory.upload(t, Float32Array.from(data))
  return t
}

function integers(k: Kernels, shape: readonly number[], data: readonly number[]): Tensor {
  const t = k.memory.alloc('i32', shape)
  k.memory.upload(t, Int32Array.from(data))
  return t
}

async function numbers(k: Kernels, t: Tensor): Promise<number[]> {
  await k.submit()
  return Array.from((await k.memory.read(t)) as TypedArray)
}

/** The 4-point difference, exact for polynomials up to the fourth degree. */
async function slopeBy(at: (moved: number) => Promise<number>): Promise<number> {
  const near = (await at(STEP)) - (await at(-STEP))
  const far = (await at(2 * STEP)) - (await at(-2 * STEP))
  return (8 * near - far) / (12 * STEP)
}

async function checkRule(name: string, rule: Rule): Promise<void> {
  const rng = new Rng(name)
  const values = Object.fromEntries(
    Object.entries(rule.inputs).map(([input, shape]) => {
      const given = rule.values?.[input]
      return [input, Array.from(given ?? rng.normals(elementCount(shape)), x => Math.round(x / GRID) * GRID)]
    }),
  )
  const place = (k: Kernels): Tensors =>
    Object.fromEntries(Object.entries(rule.inputs).map(([input, shape]) => [input, put(k, shape, values[input]!)]))
  const results = async () => {
    const k = createReferenceKernels()
    const read = []
    for (const y of await rule.forward(k, place(k))) read.push(await numbers(k, y))
    k.dispose()
    return read
  }
  const factors = (await results()).map(y => rng.normals(y.length))
  const weighted = async () =>
    (await results()).reduce((sum, y, i) => sum + y.reduce((s, x, j) => s + x * factors[i]![j]!, 0), 0)

  const k = createReferenceKernels()
  const inputs = place(k)
  const gradients = Object.fromEntries(
    Object.entries(rule.inputs).map(([input, shape]) => [input, k.memory.alloc('f32', shape)]),
  )
  const dys = (await rule.forward(k, inputs)).map((y, i) => put(k, y.shape, factors[i]!))
  await rule.backward(k, inputs, dys, gradients)
  for (const input of Object.keys(rule.inputs)) {
    const got = await numbers(k, gradients[input]!)
    const size = Math.sqrt(got.reduce((sum, x) => sum + x * x, 0) / got.length)
    for (const [i, gradient] of got.entries()) {
      const was = values[input]![i]!
      const want = await slopeBy(moved => {
        values[input]![i] = was + moved
        return weighted()
      })
      values[input]![i] = was
      const allowed = 2e-4 * (size + Math.abs(want))
      expect(Math.abs(gradient - want), `${input}[${i}]: ${gradient}, by differences ${want}`).toBeLessThan(allowed)
    }
  }
  k.dispose()
}

const weightOf = async (k: Kernels, w: Tensor) =>
  k.prepare(weightSource('w', 'f32', w.shape[0]!, w.shape[1]!, Float32Array.from(await numbers(k, w))))

const expertsOf = async (k: Kernels, w: Tensor) => {
  const [experts, rows, cols] = w.shape as [number, number, number]
  const all = await numbers(k, w)
  const matrices = Array.from({ length: experts }, (_, e) => all.slice(e * rows * cols, (e + 1) * rows * cols))
  return k.prepareExperts(matrices.map(data => weightSource('w', 'f32', rows, cols, Float32Array.from(data))))
}

const RULES: Record<string, Rule> = {}

RULES['gatherRows, by scatterRows'] = {
  inputs: { x: [4, 3] },
  forward(k, { x }) {
    const y = k.memory.alloc('f32', [5, 3])
    k.gatherRows(y, x!, integers(k, [5], [2, 0, 2, 3, 2]))
    return [y]
  },
  backward: (k, _, [dy], { x }) => k.scatterRows(x!, dy!, integers(k, [5], [2, 0, 2, 3, 2])),
}

RULES['matmul with a bias and a scale'] = {
  inputs: { x: [3, 5], w: [4, 5], bias: [4] },
  async forward(k, { x, w, bias }) {
    const y = k.memory.alloc('f32', [3, 4])
    k.matmul(y, x!, await weightOf(k, w!), { bias: bias!, scale: 0.7 })
    return [y]
  },
  async backward(k, { x, w }, [dy], gradients) {
    k.matmulBackward(gradients.x!, dy!, await weightOf(k, w!), 0.7)
    k.weightBackward(gradients.w!, dy!, x!, 0.7)
    k.sumRows(gradients.bias!, dy!, 0.7)
  },
}

for (const centred of [true, false]) {
  RULES[centred ? 'layerNorm' : 'rmsNorm'] = {
    inputs: { x: [3, 6], weight: [6], ...(centred && { bias: [6] }) },
    forward(k, { x, weight, bias }) {
      const y = k.memory.alloc('f32', [3, 6])
      if (centred) k.layerNorm(y, x!, weight!, bias!, 1e-2)
      else k.rmsNorm(y, x!, weight!, 1e-2)
      return [y]
    },
    backward(k, { x, weight }, [dy], gradients) {
      const stats = k.memory.alloc('f32', [3, 2])
      k.normBackward(gradients.x!, stats, dy!, x!, weight!, 1e-2, centred)
      k.normWeightBackward(gradients.weight!, centred ? gradients.bias! : null, dy!, x!, stats)
    },
  }
}

const ACTIVATIONS: readonly Activation[] = [
  'silu',
  'gelu',
  'gelu_tanh',
  'quick_gelu',
  'relu',
  'relu2',
  'sigmoid',
  'tanh',
]
/** Farther from 0, where relu bends, than two steps. */
const CURVE = [-3.1, -2.2, -1.4, -0.9, -0.55, -0.2, 0.15, 0.4, 0.8, 1.3, 2.1, 3.3]
for (const activation of ACTIVATIONS) {
  RULES[`activate, ${activation}`] = {
    inputs: { x: [2, 6] },
    values: { x: CURVE },
    forward(k, { x }) {
      const y = k.memory.alloc('f32', [2, 6])
      k.activate(y, x!, activation)
      return [y]
    },
    backward: (k, { x }, [dy], gradients) => k.activateBackward(gradients.x!, dy!, x!, activation),
  }
  RULES[`gate, ${activation}`] = {
    inputs: { gates: [2, 6], up: [2, 6] },
    values: { gates: CURVE },
    forward(k, { gates, up }) {
      const y = k.memory.alloc('f32', [2, 6])
      k.gate(y, gates!, up!, activation)
      return [y]
    },
    backward: (k, { gates, up }, [dy], gradients) =>
      k.gateBackward(gradients.gates!, gradients.up!, dy!, gates!, up!, activation),
  }
}

for (const interleaved of [true, false]) {
  const angles = (k: Kernels) => put(k, [2, 4], [0.6, 0.8, 0.8, -0.6, -1, 0.28, 0, 0.96])
  RULES[`rope of ${interleaved ? 'neighbours' : 'halves'}`] = {
    inputs: { x: [2, 3, 5] },
    forward(k, { x }) {
      const y = k.memory.alloc('f32', [2, 3, 5])
      k.rope(y, x!, angles(k), interleaved)
      return [y]
    },
    backward: (k, _, [dy], gradients) => k.ropeBackward(gradients.x!, dy!, angles(k), interleaved),
  }
}

interface AttentionShape {
  readonly groups: number
  readonly shared: number
  readonly before: number
  readonly window?: number
}

/** 4 heads of 3 numbers, and `shared` more that all have in common. */
function attentionRule({ groups, shared, before, window }: AttentionShape): Rule {
  const [T, H, width, V] = [3, 4, 3, 2]
  const S = before + T
  const slice = (rows: Tensor, heads: number, width: number): RowSlice => ({
    rows,
    dtype: 'f32',
    offset: 0,
    heads,
    width,
    headStride: width,
  })
  const args = (k: Kernels, { q, keys, more, values }: Tensors) => ({
    q: q!,
    keys: [slice(keys!, groups, width), ...(shared ? [slice(more!, 1, shared)] : [])],
    values: slice(values!, groups, V),
    sequences: { rows: integers(k, [1, 6], [0, T, before, 0, S, 0]) },
    scale: 0.6,
    ...(window !== undefined && { window }),
  })
  const run = (k: Kernels, inputs: Tensors) => {
    const [out, lse] = [k.memory.alloc('f32', [T, H, V]), k.memory.alloc('f32', [T, H])]
    k.attention({ ...args(k, inputs), out, lse })
    return { out, lse }
  }
  return {
    inputs: {
      q: [T, H, width + shared],
      keys: [S, groups * width],
      values: [S, groups * V],
      ...(shared && { more: [S, shared] }),
    },
    forward: (k, inputs) => [run(k, inputs).out],
    backward(k, inputs, [dout], gradients) {
      const dkeys = k.memory.alloc('f32', [S, H, width + shared])
      const dvalues = k.memory.alloc('f32', [S, H, V])
      k.attentionBackward({
        ...args(k, inputs),
        ...run(k, inputs),
        dout: dout!,
        dq: gradients.q!,
        dkeys,
        dvalues,
      })
      const heads = (t: Tensor, G: number, n: number): Tensor => ({ ...t, shape: [S, G, n], strides: [G * n, n, 1] })
      k.sumHeads(heads(gradients.keys!, groups, width), lastOf(dkeys, 0, width))
      k.sumHeads(heads(gradients.values!, groups, V), dvalues)
      if (shared) k.sumHeads(heads(gradients.more!, 1, shared), lastOf(dkeys, width, shared))
    },
  }
}

RULES['attention of grouped heads'] = attentionRule({ groups: 2, shared: 0, before: 0 })
RULES['attention behind a prefix, in a window'] = attentionRule({ groups: 1, shared: 0, before: 2, window: 2 })
RULES['attention with a part that heads share'] = attentionRule({ groups: 4, shared: 2, before: 1 })

for (const scoring of ['softmax', 'sigmoid'] as const) {
  for (const normalise of [true, false]) {
    const options: RouteOptions = { scoring, groups: 1, topkGroups: 1, groupScore: 'max', normalise, scale: 1.5 }
    const run = (k: Kernels, logits: Tensor) => {
      const [indices, weights] = [k.memory.alloc('i32', [2, 3]), k.memory.alloc('f32', [2, 3])]
      k.route(indices, weights, logits, options)
      return { indices, weights }
    }
    RULES[`route by ${scoring}${normalise ? ', normalised' : ''}`] = {
      inputs: { logits: [2, 5] },
      // Apart, so that no step changes the choice.
      values: { logits: [0.5, -1, 2, 1, -0.4, 1.2, 0.2, -0.7, -1.5, 0.8] },
      forward: (k, { logits }) => [run(k, logits!).weights],
      backward: (k, { logits }, [dweights], gradients) =>
        k.routeBackward(gradients.logits!, dweights!, logits!, run(k, logits!).indices, options),
    }
  }
}

/** 3 tokens, 2 experts of 3 for each. */
function planOf(k: Kernels): Tensor {
  const plan = k.memory.alloc('i32', [3 + 1 + 12])
  k.groupByExpert(plan, integers(k, [3, 2], [2, 0, 0, 1, 2, 0]), 3)
  return plan
}

for (const gather of [true, false]) {
  RULES[`expertMatmul of ${gather ? 'gathered' : 'grouped'} rows`] = {
    inputs: { x: [gather ? 3 : 6, 4], w: [3, 2, 4] },
    async forward(k, { x, w }) {
      const y = k.memory.alloc('f32', [6, 2])
      k.expertMatmul(y, x!, await expertsOf(k, w!), planOf(k), gather)
      return [y]
    },
    async backward(k, { x, w }, [dy], gradients) {
      const dx = gather ? k.memory.alloc('f32', [6, 4]) : gradients.x!
      k.expertMatmulBackward(dx, dy!, await expertsOf(k, w!), planOf(k))
      k.expertWeightBackward(gradients.w!, dy!, x!, planOf(k), gather)
      // Grouped rows go back to their tokens with weights of 1.
      const ones = put(k, [3, 2], new Array(6).fill(1))
      if (gather) k.combineExperts(gradients.x!, dx, ones, planOf(k), gradients.x!)
    },
  }
}

RULES.combineExperts = {
  inputs: { part: [6, 4], weights: [3, 2] },
  forward(k, { part, weights }) {
    const y = k.memory.alloc('f32', [3, 4])
    k.combineExperts(y, part!, weights!, planOf(k), k.memory.alloc('f32', [3, 4]))
    return [y]
  },
  backward: (k, { part, weights }, [dy], gradients) =>
    k.combineExpertsBackward(gradients.part!, gradients.weights!, dy!, part!, weights!, planOf(k)),
}

describe('the backward rule of', () => {
  it.each(Object.entries(RULES))('%s is what differences give', (name, rule) => checkRule(name, rule))

  it.each([['divergence'], ['relativeError']] as const)('%s is what differences give', async op => {
    const [T, V] = [3, 5]
    const rng = new Rng(op)
    const wanted = rng.normals(T * V)
    const x = Array.from(rng.normals(T * V), x => Math.round(x / GRID) * GRID)
    const run = async (at: readonly number[]) => {
      const k = createReferenceKernels()
      const [loss, dx] = [k.memory.alloc('f32', [T]), put(k, [T, V], new Array(T * V).fill(0))]
      k[op](loss, dx, put(k, [T, V], at), put(k, [T, V], wanted), 0.5)
      return { losses: await numbers(k, loss), gradient: await numbers(k, dx) }
    }
    for (const [i, slope] of (await run(x)).gradient.entries()) {
      const want = await slopeBy(async moved => {
        const { losses } = await run(x.map((value, j) => (i === j ? value + moved : value)))
        return 0.5 * losses.reduce((sum, loss) => sum + loss, 0)
      })
      expect(Math.abs(slope - want)).toBeLessThan(1e-4)
    }
  })

  it.each([[{ scale: 1 }], [{ scale: 0.25, smoothing: 0.2, zLoss: 0.1 }]] as [CrossEntropyOptions][])(
    'crossEntropy is what differences give: %o',
    async options => {
      const [T, V] = [4, 5]
      const wanted = [3, -1, 0, 4]
      const logits = Array.from(new Rng('loss').normals(T * V), x => Math.round(x / GRID) * GRID)
      const run = async (at: readonly number[]) => {
        const k = createReferenceKernels()
        const [loss, dlogits] = [k.memory.alloc('f32', [T]), k.memory.alloc('f32', [T, V])]
        k.crossEntropy(loss, dlogits, put(k, [T, V], at), integers(k, [T], wanted), options)
        return { losses: await numbers(k, loss), gradient: await numbers(k, dlogits) }
      }
      const { gradient, losses } = await run(logits)
      expect(losses[1]).toBe(0)
      for (const [i, slope] of gradient.entries()) {
        const want = await slopeBy(async moved => {
          const { losses } = await run(logits.map((x, j) => (i === j ? x + moved : x)))
          return options.scale * losses.reduce((sum, loss) => sum + loss, 0)
        })
        expect(Math.abs(slope - want)).toBeLessThan(1e-4)
      }
    },
  )

  it('adamW is the textbook: three steps', async () => {
    const k = createReferenceKernels()
    const [w, m, v] = [put(k, [2], [1, -2]), k.memory.alloc('f32', [2]), k.memory.alloc('f32', [2])]
    const [rate, beta1, beta2, eps, decay] = [0.1, 0.9, 0.99, 1e-8, 0.01]
    const [want, first, second] = [
      [1, -2],
      [0, 0],
      [0, 0],
    ]
    for (let t = 1; t <= 3; t++) {
      const g = [0.5 * t, -3 + t]
      const [correction1, correction2] = [1 - beta1 ** t, 1 - beta2 ** t]
      const settings = { rate, beta1, beta2, eps, decay, correction1, correction2, gradientScale: 0.5 }
      k.adamW(w, m, v, put(k, [2], g), settings)
      for (const i of [0, 1]) {
        first[i] = beta1 * first[i]! + ((1 - beta1) * g[i]!) / 2
        second[i] = beta2 * second[i]! + (1 - beta2) * (g[i]! / 2) ** 2
        const step = first[i]! / correction1 / (Math.sqrt(second[i]! / correction2) + eps)
        want[i]! -= rate * decay * want[i]! + rate * step
      }
    }
    const got = await numbers(k, w)
    for (const i of [0, 1]) expect(got[i]).toBeCloseTo(want[i]!, 5)
  })
})
