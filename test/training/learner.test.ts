/** Models written by hand learn: their gradients are those of finite differences, and losses fall. */
import { describe, expect, it } from 'vitest'
import {
  type AttentionCache,
  activate,
  add,
  additiveAttention,
  additiveWeights,
  attend,
  below,
  beside,
  createCache,
  dotProductAttention,
  embed,
  expertLayer,
  expertMlp,
  gate,
  gather,
  groupedLayer,
  latentLayer,
  linear,
  matrix,
  norm,
  recurrentStates,
  recurrentWeights,
  rotate,
  rows,
  shaped,
  type Tensor,
  vector,
  type Workbench,
} from '../../src/attention/index.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { openLearner } from '../../src/training/index.ts'
import { Learner } from '../../src/training/learner.ts'
import { expectClose } from '../support/compare.ts'

const V = 5
const IDS = [1, 4, 0, 2, 3, 1]
const TARGETS = [4, 0, -1, 3, 1, 2]

/** Weights by seed, of which number `at` of weight `which` is moved by `step`. */
class Moved extends Learner {
  #made = 0
  #move: readonly [which: number, at: number, step: number] | null

  constructor(move: readonly [number, number, number] | null) {
    super(createReferenceKernels())
    this.#move = move
  }

  #moved(numbers: Float32Array): Float32Array {
    const own = numbers.slice()
    if (this.#move?.[0] === this.#made) own[this.#move[1]]! += this.#move[2]
    this.#made++
    return own
  }

  override weight(name: string, numbers: Float32Array, rows: number, cols: number) {
    return super.weight(name, this.#moved(numbers), rows, cols)
  }

  override kept(numbers: Float32Array, shape: readonly number[]) {
    return super.kept(this.#moved(numbers), shape)
  }

  override experts(name: string, numbers: Float32Array, experts: number, rows: number, cols: number) {
    return super.experts(name, this.#moved(numbers), experts, rows, cols)
  }
}

/** Logits [6, V] of each kind of model. */
const MODELS: Readonly<Record<string, (bench: Learner) => Tensor>> = {
  'a block of MLA over two texts': bench => {
    const x = embed(bench, matrix(bench, V, 8, { seed: 1, deviation: 1 }), IDS)
    const layer = latentLayer(bench, {
      hiddenSize: 8,
      nHeads: 2,
      qLoraRank: 5,
      kvLoraRank: 6,
      qkNopeHeadDim: 3,
      qkRopeHeadDim: 2,
      vHeadDim: 3,
    })
    const normed = norm(bench, x, vector(bench, 8, 1.1))
    const h = add(bench, x, attend(bench, layer, normed, { lengths: [4, 2] }).y)
    const gates = linear(bench, h, matrix(bench, 7, 8, { seed: 2 }))
    const up = linear(bench, h, matrix(bench, 7, 8, { seed: 3 }))
    return linear(bench, gate(bench, gates, up, 'silu'), matrix(bench, V, 7, { seed: 4 }), {
      bias: vector(bench, V, 0.1),
    })
  },
  'GQA with LayerNorm': bench => {
    const x = embed(bench, matrix(bench, V, 8, { seed: 1, deviation: 1 }), IDS)
    const layer = groupedLayer(bench, { hiddenSize: 8, nHeads: 4, nKvHeads: 2 })
    const h = norm(bench, add(bench, x, attend(bench, layer, x).y, 0.5), vector(bench, 8, 1), {
      bias: vector(bench, 8, 0.2),
    })
    return linear(bench, activate(bench, h, 'gelu'), matrix(bench, V, 8, { seed: 2 }))
  },
  'a GRU and additive attention': bench => {
    const x = shaped(bench, embed(bench, matrix(bench, V, 4, { seed: 1, deviation: 1 }), IDS), [3, 2, 4])
    const sizes = { inputSize: 4, size: 3 } as const
    const zero = () => bench.tensor(new Float32Array(6), [2, 3])
    const states = ['gru-after', 'gru-before', 'rnn'].map((cell, seed) =>
      recurrentStates(bench, recurrentWeights(bench, { ...sizes, cell: cell as 'rnn', seed }), x, zero()),
    )
    const all = shaped(bench, beside(bench, states), [6, 9])
    const source = gather(bench, all, [5, 0, 3, 1])
    const weights = additiveWeights(bench, { width: 4, state: 9, source: 9 })
    const contexts = [0, 2, 4].map(
      t => additiveAttention(bench, weights, rows(all, t, 2), source, { mask: [1, 1, 0, 1] }).context,
    )
    return linear(bench, below(bench, contexts), matrix(bench, V, 9, { seed: 7 }))
  },
  'a mixture of experts': bench => {
    const x = embed(bench, matrix(bench, V, 8, { seed: 1, deviation: 1 }), IDS)
    const layer = expertLayer(bench, { hiddenSize: 8, nExperts: 4, topK: 2, expertSize: 5, sharedSize: 3 })
    return linear(bench, add(bench, x, expertMlp(bench, layer, x).y), matrix(bench, V, 8, { seed: 2 }))
  },
  'cross-attention with rope': bench => {
    const x = embed(bench, matrix(bench, V, 8, { seed: 1, deviation: 1 }), IDS)
    const heads = (seed: number) => shaped(bench, linear(bench, x, matrix(bench, 8, 8, { seed })), [6, 2, 4])
    const [q, k] = [heads(2), heads(3)].map(t => rotate(bench, t, [0, 1, 2, 3, 4, 5])) as [Tensor, Tensor]
    const { out } = dotProductAttention(
      bench,
      { queries: q, keys: rows(k, 1, 4), values: rows(heads(4), 1, 4) },
      { causal: false },
    )
    return linear(bench, shaped(bench, out, [6, 8]), matrix(bench, V, 8, { seed: 5 }))
  },
}

describe.each(Object.entries(MODELS))('%s', (_, model) => {
  it('has the gradients of finite differences', async () => {
    await using bench = new Moved(null)
    const loss = await bench.backward(model(bench), TARGETS)
    const gradients = await bench.gradients()
    await using quiet = new Moved(null)
    expect(await quiet.loss(model(quiet), TARGETS)).toBeCloseTo(loss, 6)
    const step = 1e-2
    for (const [which, gradient] of gradients.entries()) {
      // Not all numbers of large weights: the first, the last, and some between.
      const places = [...new Set([0, 1, 0.3, 0.7].map(share => Math.floor(share * (gradient.length - 1))))]
      for (const at of places) {
        const losses: number[] = []
        for (const by of [step, -step]) {
          await using moved = new Moved([which, at, by])
          losses.push(await moved.loss(model(moved), TARGETS))
        }
        const expected = (losses[0]! - losses[1]!) / (2 * step)
        expectClose(`weight ${which}, number ${at}`, [gradient[at]!], [expected], { rel: 2e-2, abs: 2e-4 })
      }
    }
  })
})

it('a loss falls, the same on every run, and near to the reference', async () => {
  const learnt = async (kernels: 'auto' | 'reference') => {
    await using bench = await openLearner({ kernels, threads: 2 })
    const layer = latentLayer(bench, {
      hiddenSize: 16,
      nHeads: 2,
      kvLoraRank: 8,
      qkNopeHeadDim: 8,
      qkRopeHeadDim: 4,
      vHeadDim: 8,
    })
    const [table, out] = [matrix(bench, V, 16, { seed: 1, deviation: 1 }), matrix(bench, V, 16, { seed: 2 })]
    const losses: number[] = []
    for (let step = 0; step < 30; step++) {
      const x = embed(bench, table, IDS)
      const logits = linear(bench, add(bench, x, attend(bench, layer, x).y), out)
      losses.push(await bench.learn(logits, TARGETS, { rate: 3e-2 }))
    }
    return losses
  }
  const losses = await learnt('auto')
  expect(losses[0]).toBeGreaterThan(1)
  expect(losses.at(-1)).toBeLessThan(0.1)
  expect(await learnt('auto')).toEqual(losses)
  expectClose('reference', (await learnt('reference')).slice(0, 10), losses.slice(0, 10), { rel: 1e-3, abs: 1e-3 })
})

describe('weights of rows', () => {
  const gradientsOf = async (targets: readonly number[], weights?: readonly number[]) => {
    await using bench = new Learner(createReferenceKernels())
    await bench.backward(MODELS['GQA with LayerNorm']!(bench), targets, weights)
    return (await bench.gradients()).flatMap(numbers => [...numbers])
  }

  it('multiply the gradients of their losses', async () => {
    const targets = [4, 0, -1, 3, 1, 2]
    const alone = await gradientsOf([4, 0, -1, -1, -1, -1]) // the mean of two
    const weighed = await gradientsOf(targets, [1, 1, 9, 0, 0, 0]) // of five
    expectClose(
      'gradients',
      weighed.map(x => (x * 5) / 2),
      alone,
      { rel: 1e-5, abs: 1e-7 },
    )
    const against = await gradientsOf(targets, [-1, -1, 9, 0, 0, 0])
    expectClose(
      'against',
      against,
      weighed.map(x => -x),
      { rel: 1e-5, abs: 1e-7 },
    )
  })

  it('have to be as many as the targets, and numbers', async () => {
    await using bench = await openLearner({ kernels: 'reference' })
    const table = matrix(bench, V, V, { seed: 1 })
    const learn = (weights: number[]) => bench.learn(embed(bench, table, IDS), TARGETS, { rate: 0.1, weights })
    await expect(learn([1])).rejects.toThrow('weights has 1 entries; expected 6, one for each target')
    await expect(learn([1, 1, 1, 1, 1, Number.NaN])).rejects.toThrow('weights has NaN; expected numbers')
  })
})

describe.each(['auto', 'wasm'] as const)('what was learned, on %s kernels', kernels => {
  const model = (bench: Learner) => {
    const table = matrix(bench, V, 16, { seed: 1, deviation: 1 })
    const sizes = { hiddenSize: 16, nHeads: 2, kvLoraRank: 8, qkNopeHeadDim: 8, qkRopeHeadDim: 4, vHeadDim: 8 }
    const layer = latentLayer(bench, sizes)
    const experts = expertLayer(bench, { hiddenSize: 16, nExperts: 4, topK: 2, expertSize: 8, seed: 3 })
    const out = matrix(bench, V, 16, { seed: 2 })
    const states = (on: Workbench, ids: readonly number[], cache?: AttentionCache) => {
      const x = embed(on, table, ids)
      return add(on, x, attend(on, layer, x, cache ? { cache } : {}).y)
    }
    const logits = (on: Workbench, ids: readonly number[], cache?: AttentionCache) => {
      const x = states(on, ids, cache)
      return linear(on, add(on, x, expertMlp(on, experts, x).y), out)
    }
    return { layer, experts, states, logits }
  }

  it('writes with a cache, absorbed, and can be put into another learner', async () => {
    await using bench = await openLearner({ kernels, threads: 1 })
    const own = model(bench)
    for (let step = 0; step < 10; step++) {
      const chosen = expertMlp(bench, own.experts, own.states(bench, IDS))
      const loads = await bench.balance(own.experts, chosen, 0.1)
      expect(loads.reduce((a, b) => a + b, 0)).toBe(2 * IDS.length)
      await bench.learn(own.logits(bench, IDS), TARGETS, { rate: 1e-2 })
    }
    const whole = await bench.read(own.logits(bench, IDS))
    const { inference } = bench
    const cache = createCache(inference, [own.layer], { type: 'f32' })
    const rows: number[] = []
    for (const id of IDS) rows.push(...(await inference.read(own.logits(inference, [id], cache))))
    expectClose('one by one', rows, whole, { rel: 1e-3, abs: 1e-3 })
    await inference.close()
    const numbers = await bench.numbers()
    await using other = await openLearner({ kernels, threads: 1 })
    const again = model(other)
    expect([...(await other.read(again.logits(other, IDS)))]).not.toEqual([...whole])
    await other.restore(numbers)
    expect([...(await other.read(again.logits(other, IDS)))]).toEqual([...whole])
    await expect(other.restore(numbers.slice(1))).rejects.toThrow(/numbers has \d+ weights; expected \d+/)
    await expect(other.restore([[1], ...numbers.slice(1)])).rejects.toThrow('numbers[0] has 1 numbers; expected 80')
  })
})

it('balance makes experts that were chosen too often less likely, and the others more', async () => {
  await using bench = await openLearner({ kernels: 'reference' })
  const layer = expertLayer(bench, { hiddenSize: 4, nExperts: 4, topK: 1, expertSize: 4 })
  const x = () => bench.tensor(Array(40).fill(1), [10, 4])
  const [first] = [await bench.balance(layer, expertMlp(bench, layer, x()), 5)]
  expect([...first].sort()).toEqual([0, 0, 0, 10])
  const second = await bench.balance(layer, expertMlp(bench, layer, x()), 0)
  expect(second[first.indexOf(10)]).toBe(0)
  expect(() => expertLayer(bench, { hiddenSize: 4, nExperts: 2, topK: 3, expertSize: 4 })).toThrow(
    'topK is 3; expected at most nExperts = 2',
  )
})

describe('errors', () => {
  it('name what was met', async () => {
    await using bench = await openLearner({ kernels: 'reference' })
    const table = matrix(bench, V, V, { seed: 1 })
    const logits = () => embed(bench, table, IDS)
    await expect(bench.learn(logits(), [1], { rate: 0.1 })).rejects.toThrow('targets has 1 entries; expected 6')
    for (const bad of [V, 1.5, Number.NaN]) {
      const targets = [bad, ...TARGETS.slice(1)]
      const message = `targets has ${bad}; expected whole numbers below 5, the columns of logits`
      await expect(bench.learn(logits(), targets, { rate: 0.1 })).rejects.toThrow(message)
      await expect(bench.loss(logits(), targets)).rejects.toThrow(message)
    }
    await expect(
      bench.learn(
        logits(),
        TARGETS.map(() => -1),
        { rate: 0.1 },
      ),
    ).rejects.toThrow('all below 0')
    await expect(bench.learn(logits(), TARGETS, { rate: 0 })).rejects.toThrow('rate is 0; expected a number above 0')
    await bench.clear()
    await bench.learn(logits(), TARGETS, { rate: 0.1 })
    expect(() => matrix(bench, 2, 2)).toThrow('made after the first step; expected all weights before it')
    expect(() => embed(bench, table, [5])).toThrow("ids has 5; expected whole numbers below 5, the matrix's rows")
  })
})
