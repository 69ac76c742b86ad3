/** The suite notices: kernels with one fault each must fail some case of the operation. */
import { describe, expect, it } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { reshape, rowsOf, type Tensor, view } from '../../src/tensor/tensor.ts'
import { CASES } from './cases/index.ts'
import { checkCase } from './check.ts'
import { allowedFor, TOLERANCES } from './tolerances.ts'

type Fault = (k: Kernels) => Partial<Kernels>

/** Adds to one number. */
function nudge(k: Kernels, t: Tensor, index: number, amount: number): void {
  const number = view(t, index, [1])
  k.axpby(number, 1, number, amount, constant(k, 1))
}

function constant(k: Kernels, value: number): Tensor {
  const t = k.memory.alloc('f32', [1])
  k.memory.upload(t, Float32Array.of(value))
  return t
}

const FAULTS: Readonly<Record<string, Readonly<Record<string, Fault>>>> = {
  matmul: {
    'forgets the bias': k => ({ matmul: (y, x, w, { bias: _, ...others } = {}) => k.matmul(y, x, w, others) }),
    'is off by 1e-5': k => ({
      matmul: (y, x, w, options = {}) => k.matmul(y, x, w, { ...options, scale: (options.scale ?? 1) * (1 + 1e-5) }),
    }),
    'adds to what was there': k => ({ matmul: (y, x, w, options) => k.matmul(y, x, w, { residual: y, ...options }) }),
  },
  rmsNorm: {
    'writes one number too many': k => ({
      rmsNorm: (y, x, weight, eps) => {
        k.rmsNorm(y, x, weight, eps)
        k.copy(view(y, (y.shape[0]! - 1) * y.strides[0]! + y.shape.at(-1)!, [1]), constant(k, 0))
      },
    }),
    'puts eps outside the root': k => ({ rmsNorm: (y, x, weight, eps) => k.rmsNorm(y, x, weight, eps * eps) }),
  },
  copy: {
    'leaves the last row': k => ({
      copy: (y, x) => k.copy(rowsOf(y, 0, Math.max(y.shape[0]! - 1, 0)), rowsOf(x, 0, Math.max(x.shape[0]! - 1, 0))),
    }),
  },
  activate: {
    'spoils its input': k => ({
      activate: (y, x, activation) => {
        k.activate(y, x, activation)
        k.axpby(x, 2, x)
      },
    }),
    'takes one gelu for the other': k => ({
      activate: (y, x, activation) => k.activate(y, x, activation === 'gelu' ? 'gelu_tanh' : activation),
    }),
  },
  rope: {
    'takes halves for neighbours': k => ({ rope: (y, x, cosSin) => k.rope(y, x, cosSin, false) }),
  },
  attention: {
    'ignores the window': k => ({ attention: ({ window: _, ...args }) => k.attention(args) }),
    'has a window one too wide': k => ({
      attention: args => k.attention(args.window === undefined ? args : { ...args, window: args.window + 1 }),
    }),
    'has a small error in lse': k => ({
      attention: args => {
        k.attention(args)
        if (args.lse && args.q.shape[0]! > 1) nudge(k, args.lse, args.lse.shape[1]!, 1e-4)
      },
    }),
    'forgets a bias': k => ({ attention: ({ bias: _, ...args }) => k.attention(args) }),
    'forgets sink logits': k => ({ attention: ({ sinkLogits: _, ...args }) => k.attention(args) }),
    'starts anew instead of carrying on': k => ({ attention: ({ carry: _, ...args }) => k.attention(args) }),
    'shifts captured scores': k => ({
      attention: args => k.attention({ ...args, scoresStart: (args.scoresStart ?? 0) + 1 }),
    }),
  },
  cacheWrite: {
    'ignores the slice offset': k => ({
      cacheWrite: (slice, x, sequences) => k.cacheWrite({ ...slice, offset: 0 }, x, sequences),
    }),
    'runs heads together': k => ({
      cacheWrite: (slice, x, sequences) => k.cacheWrite({ ...slice, headStride: slice.headStride - 4 }, x, sequences),
    }),
  },
  route: {
    'chooses without the bias': k => ({
      route: (indices, weights, logits, { bias: _, ...options }) => k.route(indices, weights, logits, options),
    }),
    'counts a group by its best': k => ({
      route: (indices, weights, logits, options) =>
        k.route(indices, weights, logits, { ...options, groupScore: 'max' }),
    }),
  },
  combineExperts: {
    'forgets the residual': k => ({
      combineExperts: (y, part, weights, plan, residual) => {
        const none = k.memory.alloc('f32', residual.shape)
        k.combineExperts(y, part, weights, plan, none)
      },
    }),
  },
  gatherRows: {
    'takes rows in order': k => ({
      gatherRows: (y, x, index) => {
        const T = Math.min(y.shape[0]!, x.shape[0]!)
        k.copy(rowsOf(y, 0, T), reshape(rowsOf(x, 0, T), rowsOf(y, 0, T).shape))
        void index
      },
    }),
  },
}

function faulty(fault: Fault): Kernels {
  const sound = createReferenceKernels()
  const replaced = fault(sound)
  return new Proxy(sound, {
    get(target, name) {
      const own = replaced[name as keyof Kernels]
      if (own) return own
      const value = target[name as keyof Kernels]
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

for (const [op, faults] of Object.entries(FAULTS)) {
  describe(`${op} that`, () => {
    for (const [name, fault] of Object.entries(faults)) {
      it(`${name} is noticed`, async () => {
        const kernels = faulty(fault)
        let noticed: unknown = null
        // Plain cases come first in the list and notice least.
        for (const c of CASES.filter(c => c.op === op).reverse()) {
          if (noticed) break
          noticed = await checkCase(c, kernels).then(
            () => null,
            error => error,
          )
        }
        // A comparison failed, not the fault's own code.
        expect(String(noticed)).toMatch(/differ|changed/)
        kernels.dispose()
      })
    }
  })
}

describe('the table of tolerances', () => {
  it('has an entry for every case, and no other', () => {
    const used = new Set(CASES.map(c => allowedFor(c.op, '', c.tolerance)))
    // Entries for factors of bf16 are taken by the suite of the machines that have them.
    const plain = Object.entries(TOLERANCES).filter(([key]) => !key.includes('.') && !key.endsWith(' bf16'))
    expect(plain.filter(([, entry]) => !used.has(entry)).map(([key]) => key)).toEqual([])
  })

  it('has titles that are told apart', () => {
    const titles = CASES.map(c => `${c.op}: ${c.name}`)
    expect(titles.filter((t, i) => titles.indexOf(t) !== i)).toEqual([])
  })
})
