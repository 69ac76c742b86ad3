/** The weights of layers that carry a state in place of keys. */
import type { ConvolutionNames, DeltaRuleNames } from '../../families/family.ts'
import type { LayerConfig } from '../../nn/config.ts'
import type { Norm } from '../../nn/layers.ts'
import { type ConvolutionConfig, type DeltaRuleConfig, UNIT_EPS } from '../../nn/states/config.ts'
import type { ConvolutionWeights } from '../../nn/states/convolution.ts'
import type { DeltaRuleWeights } from '../../nn/states/delta-rule.ts'
import { reshape, type Tensor } from '../../tensor/tensor.ts'
import type { Loader } from './loader.ts'

/** Numbers of f32 that a layer has beside those of its files: weights of norms. */
export function constantNumbers(attention: LayerConfig['attention']): number {
  if (attention.kind === 'grouped') return attention.valueNorm && attention.keysOf === undefined ? attention.headDim : 0
  return attention.kind === 'delta' ? 2 * attention.keyDim : 0
}

export async function loadConvolution(
  loader: Loader,
  at: string,
  { channels: D, kernel, bias }: ConvolutionConfig,
  n: ConvolutionNames,
): Promise<ConvolutionWeights> {
  return {
    in: await loader.linear(at + n.in, 3 * D, D, bias),
    kernel: await loadKernel(loader, at + n.kernel, D, kernel),
    bias: await loader.bias(at + n.kernel, D, bias),
    out: await loader.linear(at + n.out, D, D, bias),
  }
}

export async function loadDeltaRule(
  loader: Loader,
  at: string,
  c: DeltaRuleConfig,
  names: DeltaRuleNames,
): Promise<DeltaRuleWeights> {
  const { hiddenSize: D } = loader.config
  const n = namesInFile(loader, at, names)
  const { nHeads: H, nKeyHeads: G, keyDim: dk, valueDim: dv } = c
  const channels = c.projections === 'apart' ? [G * dk, G * dk, H * dv] : [2 * G * dk + H * dv]
  const sizes = n.gate.length === 0 ? [2 * G * dk + 2 * H * dv] : channels
  const decays = H * (c.decay === 'head' ? 1 : dk)
  const each = async <T>(names: readonly string[], load: (name: string, i: number) => Promise<T>) => {
    const loaded: T[] = []
    for (const [i, name] of names.entries()) loaded.push(await load(at + name, i))
    return loaded
  }
  const through = (names: readonly string[], rows: number) =>
    each(names, (name, i) => {
      const rank = c.lowRank ?? D
      return loader.linear(name, i === names.length - 1 ? rows : rank, i === 0 ? D : rank)
    })
  const unit = async (name: string, weight: number): Promise<Norm> => {
    return { kind: 'rms', eps: UNIT_EPS / dk, weight: await loader.constant(`${at}${name}`, dk, weight), bias: null }
  }
  return {
    qkv: await each(n.qkv, (name, i) => loader.linear(name, sizes[i] as number, D)),
    kernels: await each(n.kernels, (name, i) => loadKernel(loader, name, channels[i] as number, c.kernel)),
    // x / |x| is x / rms(x) times dk^-1/2; q is multiplied by dk^-1/2 once more.
    queryUnit: await unit('query', 1 / dk),
    keyUnit: await unit('key', dk ** -0.5),
    beta: await loader.linear(at + n.beta, n.decay.length === 0 ? 2 * H : H, D),
    decay: await through(n.decay, decays),
    decayRate: await loader.vector(at + n.decayRate, H, 0, withOnes(loader, at + n.decayRate, [H])),
    decayBias: reshape(await loader.vector(at + n.decayBias, decays), [H, decays / H]),
    gate: await through(n.gate, H * dv),
    norm: await loader.rmsNorm(at + n.norm, dv, c.normEps),
    out: await loader.linear(at + n.out, D, H * dv),
  }
}

/** Of a convolution of each channel with itself: f32 [channels, rows]. */
async function loadKernel(loader: Loader, module: string, channels: number, rows: number): Promise<Tensor> {
  const name = `${module}.weight`
  const shape = withOnes(loader, name, [channels, 1, rows])
  return reshape(await loader.vector(name, channels * rows, 0, shape), [channels, rows])
}

/** The shape that a tensor has, if it is `expected` but for axes of 1; else `expected`. */
function withOnes({ checkpoint }: Loader, name: string, expected: readonly number[]): readonly number[] {
  const shape = checkpoint.tensors.get(name)?.shape
  const others = (axes: readonly number[]) => axes.filter(n => n !== 1).join()
  return shape && others(shape) === others(expected) ? shape : expected
}

function namesInFile({ checkpoint }: Loader, at: string, { apart, ...names }: DeltaRuleNames): DeltaRuleNames {
  if (!apart || !checkpoint.has(`${at}${apart.qkv}.weight`)) return names
  return { ...names, qkv: [apart.qkv], gate: [apart.gate] }
}
