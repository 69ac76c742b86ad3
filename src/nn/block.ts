import type { Tensor } from '../tensor/tensor.ts'
import type { GroupedAttentionConfig } from './attention/config.ts'
import { type CrossWeights, crossAttention } from './attention/cross.ts'
import { groupedAttention } from './attention/grouped.ts'
import { latentAttention } from './attention/mla.ts'
import type { AttentionStep, Backend } from './attention/step.ts'
import type { BlockOrder, LayerConfig, LayerInputsConfig, MlpConfig, ModelConfig, MoeConfig } from './config.ts'
import { linear, type Norm, normed as normedRows } from './layers.ts'
import { denseMlp } from './mlp.ts'
import { mixtureOfExperts } from './moe.ts'
import { shortConvolution } from './states/convolution.ts'
import { gatedDeltaRule } from './states/delta-rule.ts'
import type { LayerInputWeights, LayerWeights } from './weights.ts'

/** What layers may have beside their attention and MLP, by the order that has a place for it. */
const PLACES: Readonly<Record<BlockOrder, readonly ('cross' | 'beside')[]>> = {
  pre: ['cross', 'beside'],
  sandwich: ['beside'],
  parallel: [],
  post: ['cross'],
  after: [],
}

/** Throws TypeError for a layer with a part that blocks of the model's order would leave out. */
export function checkBlocks({ blockOrder, layers, modelType }: ModelConfig): void {
  for (const [i, layer] of layers.entries()) {
    for (const part of ['cross', 'beside'] as const) {
      if (!layer[part] || PLACES[blockOrder].includes(part)) continue
      const orders = Object.entries(PLACES).flatMap(([order, parts]) => (parts.includes(part) ? [order] : []))
      throw new TypeError(
        `Layer ${i} of ${modelType} has "${part}", for which blocks of order "${blockOrder}" have no place; expected ${orders.join(' or ')}`,
      )
    }
  }
}

/** Carries the stream x [T, D] through one layer. Returns the stream; x may be overwritten. */
export function runLayer(step: AttentionStep, model: ModelConfig, c: LayerConfig, w: LayerWeights, x: Tensor): Tensor {
  const { ops, scratch } = step
  const { residualScale: scale } = model
  const { out } = w.attention.weights
  const { cross } = w
  const mark = scratch.mark()

  const normed = (x: Tensor, norm: Norm | null, y: Tensor) => normedRows(step, y, x, norm as Norm)
  const attended = (x: Tensor) => attend(step, c, w, x)
  /** residual + scale * W_O x */
  const projected = (x: Tensor, residual: Tensor, by = out) => {
    const y = scratch.replacing(residual)
    linear(step, y, x, by, { residual, scale })
    return y
  }
  /** residual + scale * what x finds in the source. */
  const fromSource = (by: CrossWeights, x: Tensor, residual: Tensor) => {
    return projected(crossAttention(step, by, c.cross as GroupedAttentionConfig, x), residual, by.out)
  }
  /** residual + scale * mlp(x); without residual, mlp(x). */
  const mlp = (x: Tensor, residual: Tensor | null) => {
    const y = scratch.replacing(residual ?? x)
    runMlp(step, c.mlp, w.mlp, y, x, residual && { residual, scale })
    return y
  }
  /** residual + scale * norm(mlp(x)); x is overwritten. */
  const normedMlp = (x: Tensor, residual: Tensor, norm: Norm | null) => {
    const m = mlp(x, null)
    return joined(residual, normed(m, norm, scratch.replacing(m)))
  }
  /** x + scale * y */
  const joined = (x: Tensor, y: Tensor) => {
    const sum = scratch.replacing(x)
    ops.axpby(sum, 1, x, scale, y)
    return sum
  }

  const first = () => normed(x, w.attentionNorm, scratch.take(x.shape))
  const inOrder = (): Tensor => {
    switch (model.blockOrder) {
      case 'pre': {
        const n = first()
        const own = projected(attended(n), x)
        const h = cross ? fromSource(cross, normed(own, cross.norm, scratch.replacing(n)), own) : own
        const m = normed(h, w.mlpNorm, scratch.replacing(n))
        if (c.beside && w.beside && step.beside) mixtureOfExperts(step, w.beside, c.beside, step.beside, m, null)
        return w.mlpOutNorm ? normedMlp(m, h, w.mlpOutNorm) : mlp(m, h)
      }
      case 'sandwich': {
        const n = first()
        const a = scratch.replacing(n)
        linear(step, a, attended(n), out)
        const h = joined(x, normed(a, w.attentionOutNorm, scratch.replacing(a)))
        const m = normed(h, w.mlpNorm, scratch.replacing(a))
        if (!c.beside || !w.beside || !w.besideNorms) return normedMlp(m, h, w.mlpOutNorm)
        const both = mlpBeside(step, c.mlp, c.beside, { ...w, beside: w.beside, besideNorms: w.besideNorms }, m, h)
        return joined(h, normed(both, w.mlpOutNorm, scratch.replacing(both)))
      }
      case 'parallel': {
        const n = first()
        return mlp(n, projected(attended(n), x))
      }
      case 'post': {
        const a = projected(attended(x), x)
        const own = normed(a, w.attentionNorm, scratch.replacing(a))
        const found = cross && fromSource(cross, own, own)
        const h = found ? normed(found, cross.norm, scratch.replacing(found)) : own
        const m = mlp(h, h)
        return normed(m, w.mlpNorm, scratch.replacing(m))
      }
      case 'after': {
        const a = scratch.take(x.shape)
        linear(step, a, attended(x), out)
        const h = joined(x, normed(a, w.attentionNorm, scratch.replacing(a)))
        const m = scratch.replacing(a)
        runMlp(step, c.mlp, w.mlp, m, h, null)
        return joined(h, normed(m, w.mlpNorm, scratch.replacing(m)))
      }
    }
  }
  const own = inOrder()
  // What the experts beside the layer before have returned joins here.
  const whole = step.joins ? joined(own, step.joins) : own
  const told = w.input && step.input ? withInput(step, model, w.input, whole, step.input) : whole
  const result = w.scale === undefined ? told : scratch.replacing(told)
  if (w.scale !== undefined) ops.axpby(result, w.scale, told)
  // Keys that later layers read stay where they are in scratch memory.
  if (!(c.isRead && step.keys.apart)) scratch.release(mark)
  return result
}

/** norm(mlp(m)) + norm(experts(norm(h))), of the stream h [T, D] and what the MLP reads of it; m is overwritten. */
function mlpBeside(
  step: AttentionStep,
  c: MlpConfig,
  experts: MoeConfig,
  {
    mlp,
    beside,
    besideNorms: norms,
  }: Pick<LayerWeights, 'mlp'> & Required<Pick<LayerWeights, 'beside' | 'besideNorms'>>,
  m: Tensor,
  h: Tensor,
): Tensor {
  const { ops, scratch } = step
  const found = scratch.replacing(m)
  runMlp(step, c, mlp, found, m, null)
  const first = normedRows(step, scratch.replacing(found), found, norms.mlpOut)
  const read = normedRows(step, scratch.take(h.shape), h, norms.in)
  const returned = scratch.replacing(read)
  mixtureOfExperts(step, beside, experts, returned, read, null, h)
  const second = normedRows(step, scratch.replacing(returned), returned, norms.out)
  const both = scratch.replacing(first)
  ops.axpby(both, 1, first, 1, second)
  return both
}

/** x + norm(out(act(gate x) * input)). x [T, D], which may be overwritten, input [T, W]. */
function withInput(
  step: AttentionStep,
  { layerInputs }: Pick<ModelConfig, 'layerInputs'>,
  w: LayerInputWeights,
  x: Tensor,
  input: Tensor,
): Tensor {
  const { ops, scratch } = step
  const mark = scratch.mark()
  const gate = scratch.take(input.shape)
  linear(step, gate, x, w.gate)
  const gated = scratch.replacing(gate)
  ops.gate(gated, gate, input, (layerInputs as LayerInputsConfig).activation)
  const made = scratch.take(x.shape)
  linear(step, made, gated, w.out)
  const normed = normedRows(step, scratch.replacing(made), made, w.norm)
  const sum = scratch.replacing(x)
  ops.axpby(sum, 1, x, 1, normed)
  scratch.release(mark)
  return sum
}

/** Attention of a layer alone, from the stream x [T, D], which it leaves as it is: what the heads found, before the output projection. */
export function attendFrom(
  step: AttentionStep,
  { blockOrder }: Pick<ModelConfig, 'blockOrder'>,
  c: LayerConfig,
  w: LayerWeights,
  x: Tensor,
): Tensor {
  if (blockOrder === 'post' || blockOrder === 'after') return attend(step, c, w, x)
  return attend(step, c, w, normedRows(step, step.scratch.take(x.shape), x, w.attentionNorm))
}

/** x [T, D] -> what the heads found, before the output projection. */
function attend(step: AttentionStep, { attention: c }: LayerConfig, { attention: w }: LayerWeights, x: Tensor): Tensor {
  if (c.kind === 'latent' && w.kind === 'latent') return latentAttention(step, w.weights, c, x)
  if (c.kind === 'grouped' && w.kind === 'grouped') return groupedAttention(step, w.weights, c, x)
  if (c.kind === 'convolution' && w.kind === 'convolution') return shortConvolution(step, w.weights, x)
  if (c.kind === 'delta' && w.kind === 'delta') return gatedDeltaRule(step, w.weights, c, x)
  throw new TypeError(`attend: layer ${step.layer} has weights of ${w.kind} and a config of ${c.kind}`)
}

/** y may be x or the residual. */
function runMlp(
  backend: Backend,
  c: MlpConfig,
  w: LayerWeights['mlp'],
  y: Tensor,
  x: Tensor,
  join: { readonly residual: Tensor; readonly scale: number } | null,
): void {
  if (w.kind === 'dense') {
    denseMlp(backend, w.weights, c.activation, y, x, join ?? undefined)
  } else if (c.kind === 'moe' && (join?.scale ?? 1) === 1) {
    mixtureOfExperts(backend, w.weights, c, y, x, join?.residual ?? null)
  } else {
    throw new TypeError('runMlp: experts join the stream unscaled in every family known')
  }
}
