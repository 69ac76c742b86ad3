/** Operations of layers that carry a state from token to token in place of keys. */
import type { Tensor } from '../../tensor/tensor.ts'
import type { Sequences } from '../contract/cached-rows.ts'
import type { ShortConvOptions, StatePlace } from '../contract/states.ts'
import { axisOf, expect, expectDense, expectStrided } from './check.ts'
import { count, EXPONENTIAL, flag, input, maybe, operation, output, real, sequences } from './fields.ts'
import { expectSequences } from './slices.ts'

/** Rows that a convolution may look at, its own included: kernels hold so many. */
const MAX_KERNEL = 32

function expectPlace(what: string, state: StatePlace | null, { rows, tables }: Sequences): void {
  if (state) {
    expect(what, tables !== undefined, 'tables of the blocks that states are in')
    expect(what, state.blockTokens > 0 && state.offset % 4 === 0, 'a place of f32 numbers')
  } else expect(what, axisOf(rows, 0) <= 1, 'one sequence, where no state is kept')
}

/**
 * A causal convolution of each channel with itself: with u = before * x (or x), z[t, c] = bias[c] + sum over j < K of
 * w[c, j] u[t - K + 1 + j, c], j rising; y = after * z, of SiLU(z) where `silu` is set. x, y [T, C] strided, w f32 [C, K].
 * Rows before a sequence's first token are those of its state: f32 [K - 1, C], the rows u of the last tokens, the oldest first.
 * Without a state they are zeros, and nothing is kept.
 */
export const shortConv = operation({
  kernel: 'states/short-conv.h',
  record: {
    y: output('f32', 'T'),
    x: input('f32', 'T'),
    w: input('f32'),
    bias: maybe('f32'),
    before: maybe('f32', 'T'),
    after: maybe('f32', 'T'),
    silu: flag,
    C: count,
    K: count,
    blockTokens: count,
    offset: count,
    sequences,
  },
  from: (
    y: Tensor,
    x: Tensor,
    w: Tensor,
    state: StatePlace | null,
    sequences: Sequences,
    options: ShortConvOptions = {},
  ) => {
    const [T, C, K] = [axisOf(x, 0), axisOf(x, 1), axisOf(w, 1)]
    const { bias, before, after, silu = false } = options
    expectSequences('shortConv: sequences', sequences)
    expectPlace('shortConv: state', state, sequences)
    expect('shortConv: w', K > 0 && K <= MAX_KERNEL, `1 to ${MAX_KERNEL} numbers for a channel`)
    expectDense('shortConv: w', w, 'f32', C, K)
    expectStrided('shortConv: x', x, 'f32', T, C)
    expectStrided('shortConv: y', y, 'f32', T, C)
    if (bias) expectDense('shortConv: bias', bias, 'f32', C)
    if (before) expectStrided('shortConv: before', before, 'f32', T, C)
    if (after) expectStrided('shortConv: after', after, 'f32', T, C)
    const work = T * C * (K + 2 + (silu ? EXPONENTIAL : 0))
    const { blockTokens, offset } = state ?? { blockTokens: 0, offset: 0 }
    return { work, y, x, w, bias, before, after, silu, C, K, blockTokens, offset, sequences }
  },
})

/**
 * The gated delta rule (arXiv 2412.06464; with a decay for each channel, arXiv 2510.26692). Each head has a state S [dk, dv],
 * which a token changes: S = diag(decay) S; e = beta (v - S^T k); S = S + k e^T; o = S^T q. q, k [T, G, dk], of which head h
 * of H takes floor(h G / H); v, o [T, H, dv]; beta [T, H]; decay [T, H, 1 or dk], factors of rows of S. All strided.
 * The state is f32 [H, dk, dv], rounded to f32 after every token, so that it does not matter how tokens are cut into steps.
 */
export const deltaRule = operation({
  kernel: 'states/delta-rule.h',
  record: {
    o: output('f32', 'T', 'H'),
    q: input('f32', 'T', 'H'),
    k: input('f32', 'T', 'H'),
    v: input('f32', 'T', 'H'),
    decay: input('f32', 'T', 'H'),
    beta: input('f32', 'T'),
    H: count,
    G: count,
    dk: count,
    dv: count,
    perChannel: flag,
    blockTokens: count,
    offset: count,
    sequences,
  },
  from: (
    o: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    decay: Tensor,
    beta: Tensor,
    state: StatePlace | null,
    sequences: Sequences,
  ) => {
    const [T, H, dv] = [axisOf(v, 0), axisOf(v, 1), axisOf(v, 2)]
    const [G, dk, channels] = [axisOf(q, 1), axisOf(q, 2), axisOf(decay, 2)]
    expectSequences('deltaRule: sequences', sequences)
    expectPlace('deltaRule: state', state, sequences)
    expect('deltaRule: q', G > 0 && H % G === 0, `heads that divide the ${H} of v`)
    expect('deltaRule: decay', channels === 1 || channels === dk, `1 or ${dk} numbers for a head`)
    expectStrided('deltaRule: o', o, 'f32', T, H, dv)
    expectStrided('deltaRule: q', q, 'f32', T, G, dk)
    expectStrided('deltaRule: k', k, 'f32', T, G, dk)
    expectStrided('deltaRule: v', v, 'f32', T, H, dv)
    expectStrided('deltaRule: decay', decay, 'f32', T, H, channels)
    expectStrided('deltaRule: beta', beta, 'f32', T, H)
    const { blockTokens, offset } = state ?? { blockTokens: 0, offset: 0 }
    const work = 4 * T * H * dk * dv
    const perChannel = channels > 1
    return { work, o, q, k, v, decay, beta, H, G, dk, dv, perChannel, blockTokens, offset, sequences }
  },
})

/**
 * What a state is multiplied by: y = exp(-a softplus(x + bias)), or with a `floor` below 0 exp(floor sigmoid(a (x + bias))), where
 * a = exp(logA). x, y [T, H, n] strided; logA f32 [H]; bias f32 [H, n]. y may be x.
 */
export const decays = operation({
  kernel: 'states/decays.h',
  record: {
    y: output('f32', 'T', 'H'),
    x: input('f32', 'T', 'H'),
    logA: input('f32'),
    bias: input('f32'),
    floor: real,
    T: count,
    H: count,
    n: count,
  },
  from: (y: Tensor, x: Tensor, logA: Tensor, bias: Tensor, floor: number = 0) => {
    const [T, H, n] = [axisOf(x, 0), axisOf(x, 1), axisOf(x, 2)]
    expectStrided('decays: x', x, 'f32', T, H, n)
    expectStrided('decays: y', y, 'f32', T, H, n)
    expectDense('decays: logA', logA, 'f32', H)
    expectDense('decays: bias', bias, 'f32', H, n)
    expect('decays: floor', floor <= 0, 'a number below 0, or 0 for none')
    return { work: 3 * EXPONENTIAL * T * H * n, y, x, logA, bias, floor, T, H, n }
  },
})
