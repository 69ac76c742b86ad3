/**
 * How far an implementation may be from the reference. One entry for each operation, and for single outputs or
 * hard cases; `rel` counts against |expected| + the root mean square of its row, because a sum is as accurate as
 * its terms are large, not as its result. An f32 has 24 bits: one rounding is 6e-8.
 */
export interface Allowed {
  readonly rel: number
  /** For what underflows, or is a small difference of numbers of known size. */
  readonly abs?: number
  readonly reason: string
}

const exact = (reason: string): Allowed => ({ rel: 0, reason })

export const TOLERANCES: Readonly<Record<string, Allowed>> = {
  embed: { rel: 1.2e-7, reason: 'a product of two or three f32 numbers, each rounded once' },
  gatherRows: exact('moves numbers'),
  copy: exact('rounding to nearest even has one answer'),
  axpby: { rel: 1.2e-7, reason: 'two products and a sum, fused or not' },
  rmsNorm: { rel: 1e-6, reason: 'a sum of at most 300 positive squares and an f32 root' },
  layerNorm: { rel: 1e-6, reason: 'the mean is rounded; rows are centred' },
  'layerNorm offset': { rel: 2e-5, reason: 'a mean 100 times the deviation: x - mean loses seven bits' },
  matmul: {
    rel: 4e-6,
    reason: 'sums of at most 600 f32 products in f32; few results may all be smaller than their terms',
  },
  'matmul long': { rel: 1e-5, reason: 'sums of 4097 f32 products' },
  'matmul cancelling': { rel: 2e-4, reason: 'terms of 1e6 that cancel to 1e4: partial sums round at 0.5' },
  headMatmul: { rel: 4e-6, reason: 'as matmul' },
  'headMatmul bf16': { rel: 3e-2, reason: 'every factor has 8 bits, and terms may cancel' },
  activate: { rel: 2e-6, abs: 1e-37, reason: 'an f32 exponential; below 1e-37 it may be flushed to zero' },
  'activate gelu': { rel: 2e-6, abs: 2e-7, reason: '1 + erf or 1 + tanh near -1 keeps no more than f32 has' },
  gate: { rel: 2e-6, abs: 1e-37, reason: 'as activate' },
  'gate gelu': { rel: 2e-6, abs: 5e-7, reason: 'as activate gelu, times up' },
  rope: { rel: 3e-7, reason: 'two products and a sum that may cancel' },
  cacheWrite: exact('rounding to nearest even has one answer'),
  cacheRead: exact('widening is exact'),
  attention: { rel: 3e-6, abs: 3e-7, reason: 'scores of size 1 in f32, their exponentials, and a sum of values' },
  'attention spread': { rel: 1e-5, abs: 1e-6, reason: 'scores of at most 40 in f32, whose error exp magnifies' },
  'attention large': {
    rel: 5e-4,
    abs: 1e-6,
    reason: 'scores of thousands have an f32 step of 1e-4, which exp magnifies',
  },
  'attention bf16': {
    rel: 1e-2,
    abs: 1e-2,
    reason: 'every factor has 8 bits, and a mean of few values averages little',
  },
  'attention bf16.lse': { rel: 2e-3, abs: 1e-2, reason: 'scores of size 1, whose factors have 8 bits' },
  'attention bf16.scores': { rel: 1e-2, abs: 1e-2, reason: 'sums of products of factors of 8 bits' },
  'attention.lse': { rel: 1e-6, abs: 1e-6, reason: 'a score and a logarithm' },
  'attention.scores': { rel: 1e-6, abs: 1e-6, reason: 'as matmul, of a few terms' },
  probabilities: { rel: 2e-6, abs: 1e-37, reason: 'f32 exponentials' },
  route: { rel: 2e-6, reason: 'f32 sigmoid or softmax, divided by a sum' },
  'route.weights': { rel: 2e-6, reason: 'f32 sigmoid or softmax, divided by a sum' },
  'route.indices': exact('no two scores of these cases are closer than f32 tells apart, or they are equal'),
  clampedGate: { rel: 2e-6, abs: 1e-37, reason: 'as activate' },
  indexScores: { rel: 3e-6, reason: 'sums of f32 products over a key, then over heads of both signs' },
  selectKeys: exact('the order of f32 numbers'),
  groupByExpert: exact('integers'),
  expertMatmul: { rel: 4e-6, reason: 'as matmul' },
  combineExperts: { rel: 4e-7, reason: 'a few products and sums' },
  fill: exact('writes one number'),
  scatterRows: { rel: 1e-6, reason: 'sums of some ten f32 numbers' },
  sumRows: { rel: 2e-6, reason: 'sums of 520 f32 numbers, which cancel' },
  normBackward: { rel: 3e-6, abs: 1e-6, reason: 'two sums over a row, and differences of terms of their size' },
  'normBackward of few': { rel: 1e-4, abs: 1e-3, reason: 'a deviation of nearly 0, of which 1 / s is large' },
  normWeightBackward: { rel: 3e-6, abs: 1e-6, reason: 'sums of 520 products, which cancel' },
  activateBackward: { rel: 2e-6, abs: 1e-6, reason: 'an f32 exponential; slopes cancel where the function turns' },
  gateBackward: { rel: 2e-6, abs: 2e-6, reason: 'as activateBackward, times up' },
  ropeBackward: { rel: 3e-7, reason: 'two products and sums that may cancel' },
  trainingMatmul: { rel: 4e-6, reason: 'as matmul; products of bf16 are exact' },
  trainingExpertMatmul: { rel: 4e-6, reason: 'as matmul' },
  matmulBackward: { rel: 4e-6, reason: 'as matmul' },
  weightBackward: { rel: 4e-6, reason: 'as matmul' },
  expertMatmulBackward: { rel: 4e-6, reason: 'as matmul' },
  expertWeightBackward: { rel: 4e-6, reason: 'as matmul' },
  combineExpertsBackward: { rel: 2e-6, reason: 'a product, and a sum of 129 of them' },
  'combineExpertsBackward.dweights': { rel: 2e-6, abs: 2e-6, reason: 'sums of 129 products of size 1' },
  routeBackward: { rel: 1e-6, reason: 'f64, rounded at the end' },
  trainingAttention: { rel: 3e-6, abs: 1e-6, reason: 'as attention' },
  attentionBackward: { rel: 1e-5, abs: 1e-6, reason: 'scores, exponentials and three sums over keys or queries' },
  sumHeads: { rel: 5e-7, reason: 'sums of a few f32 numbers' },
  crossEntropy: { rel: 2e-6, abs: 1e-7, reason: 'f32 exponentials; a share minus 1' },
  'crossEntropy.loss': { rel: 3e-7, abs: 3e-7, reason: 'exponentials of f32, summed in f64' },
  divergence: { rel: 2e-6, abs: 1e-7, reason: 'f32 exponentials; the difference of two shares' },
  'divergence.loss': { rel: 2e-6, abs: 2e-6, reason: 'f32 exponentials times differences, summed in f64' },
  relativeError: { rel: 2e-6, abs: 1e-6, reason: 'sums of squares in f32' },
  sumSquares: { rel: 1e-6, reason: 'parts of some thousand squares in f32' },
  adamW: { rel: 1e-6, reason: 'some ten f32 operations' },
  shortConv: { rel: 2e-6, abs: 1e-7, reason: 'sums of at most 5 products, and an f32 exponential' },
  deltaRule: {
    rel: 1e-5,
    abs: 1e-6,
    reason: 'sums of some 20 products in f32 for every token, and what they make of the state',
  },
  decays: { rel: 3e-6, abs: 1e-37, reason: 'f32 exponentials, of numbers of at most 200' },
  chain: { rel: 1e-5, reason: 'many operations, each with its own error' },
}

const NO_ENTRY = exact('the operation has no entry')

/** The entry of an output: its own, else its case's, else its operation's. Without any it must be exact. */
export function allowedFor(op: string, output: string, key: string | Allowed = op): Allowed {
  if (typeof key !== 'string') return key
  const found = TOLERANCES[`${key}.${output}`] ?? TOLERANCES[`${op}.${output}`] ?? TOLERANCES[key]
  if (!found && key !== op) throw new Error(`no tolerance for ${key}`)
  return found ?? NO_ENTRY
}
