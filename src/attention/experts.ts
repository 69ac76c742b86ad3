/** A mixture of experts in place of an MLP (DeepSeekMoE, arXiv 2401.06066, as DeepSeek-V3 has it: arXiv 2412.19437, eq. 12 to 16). */
import { OptionError } from '../errors.ts'
import type { MoeConfig } from '../nn/config.ts'
import { mixtureOfExperts } from '../nn/moe.ts'
import type { MoeWeights } from '../nn/weights.ts'
import { type OptionTable, whole } from '../options/kinds.ts'
import { readOptions } from '../options/read-options.ts'
import { fillNormals } from '../sampling/normals.ts'
import { checkSeed, Rng } from '../sampling/rng.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { weightsOf } from './layers.ts'
import { expectShape } from './shapes.ts'
import type { Workbench } from './workbench.ts'

/** Sizes of a mixture of experts. */
export interface ExpertSizes {
  /** D: numbers of a token's vector. */
  readonly hiddenSize: number
  /** E: experts, of which each token chooses some. */
  readonly nExperts: number
  /** K: experts that a token chooses. */
  readonly topK: number
  /** F: numbers between the products of an expert. */
  readonly expertSize: number
  /** The same of the expert that all tokens share; 0: none. Default 0. */
  readonly sharedSize?: number
  /** Of the weights. Default 0. */
  readonly seed?: number
}

/** A layer of experts, each of which is a SwiGLU. */
export interface ExpertLayer {
  /** D: numbers of a token's vector. */
  readonly hiddenSize: number
  /** @internal */
  readonly config: MoeConfig
  /** @internal */
  readonly weights: MoeWeights & { readonly selectionBias: Tensor }
}

/** Result of `expertMlp`. */
export interface ExpertResult {
  /** What the layer adds to each token, [T, D]. */
  readonly y: Tensor
  /** The experts that each token chose, i32 [T, K]. */
  readonly chosen: Tensor
}

const SIZES = {
  hiddenSize: { kind: whole(1), description: "numbers of a token's vector" },
  nExperts: { kind: whole(1), description: 'experts' },
  topK: { kind: whole(1), description: 'experts that a token chooses' },
  expertSize: { kind: whole(1), description: 'numbers between the products of an expert' },
  sharedSize: { kind: whole(0), description: 'the same of the expert that all tokens share' },
  seed: { kind: whole(), description: 'of the weights' },
} satisfies OptionTable<ExpertSizes>

/**
 * A layer of experts, its weights drawn by the seed. Scores are sigmoids, those of the chosen divided by their sum; the bias of the choice is 0 until
 * `balance` of a learner moves it. Throws OptionError for sizes that do not fit together.
 */
export function expertLayer(bench: Workbench, given: ExpertSizes): ExpertLayer {
  const sizes = readOptions<ExpertSizes>(SIZES, 'expertLayer', given)
  for (const name of ['hiddenSize', 'nExperts', 'topK', 'expertSize'] as const) {
    if (sizes[name] === undefined) throw new OptionError(`expertLayer is given no ${name}; expected a whole number`)
  }
  const { hiddenSize: D, nExperts: E, topK: K, expertSize: F, sharedSize: S = 0, seed = 0 } = sizes
  if (K > E) throw new OptionError(`topK is ${K}; expected at most nExperts = ${E}`)
  const rng = Rng.seeded(checkSeed(seed))
  const experts = (name: string, rows: number, cols: number) =>
    bench.experts(name, fillNormals(new Float32Array(E * rows * cols), rng, cols ** -0.5), E, rows, cols)
  const dense = weightsOf(bench, seed + 1)
  return {
    hiddenSize: D,
    config: {
      kind: 'moe',
      nExperts: E,
      topK: K,
      expertSize: F,
      sharedSize: S,
      activation: 'silu',
      selectionBias: true,
      scoring: 'sigmoid',
      groups: 1,
      topkGroups: 1,
      groupScore: 'top2',
      normalise: true,
      scale: 1,
    },
    weights: {
      router: dense.matrix('router', E, D),
      selectionBias: bench.fixed(new Float32Array(E), [E]),
      gate: experts('gate', F, D),
      up: experts('up', F, D),
      down: experts('down', D, F),
      biases: null,
      sharedGate: null,
      shared:
        S === 0
          ? null
          : {
              gate: dense.matrix('shared gate', S, D),
              up: dense.matrix('shared up', S, D),
              down: dense.matrix('shared down', D, S),
            },
    },
  }
}

/** The experts that each token of x [T, D] chooses, weighted, and the shared one. Throws OptionError. */
export function expertMlp(bench: Workbench, layer: ExpertLayer, x: Tensor): ExpertResult {
  expectShape('x', x, [
    ['T', null],
    ['D', layer.hiddenSize],
  ])
  const y = bench.scratch.take(x.shape)
  const chosen = mixtureOfExperts(bench, layer.weights, layer.config, y, x, null)
  return { y, chosen }
}
