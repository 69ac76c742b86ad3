/** The weights that Gemma 4's layers have beside those of other families: vectors of tokens for each layer, experts that read the stream. */
import type { ExpertNames, LayerInputNames, TensorNames } from '../../families/family.ts'
import type { LayerConfig, LayerInputsConfig, ModelConfig } from '../../nn/config.ts'
import type { LayerInputsWeights, LayerWeights, MoeWeights } from '../../nn/weights.ts'
import type { Loader } from './loader.ts'

type Sizes = Pick<ModelConfig, 'nLayers' | 'hiddenSize' | 'norm' | 'layerInputs' | 'layerScales'>

export async function loadLayerInputs(
  loader: Loader,
  { nLayers, hiddenSize, norm, layerInputs }: Sizes,
  n: LayerInputNames,
): Promise<LayerInputsWeights> {
  const { width, vocabSize } = layerInputs as LayerInputsConfig
  const all = nLayers * width
  return {
    table: await loader.matrix(`${loader.prefix}${n.table}.weight`, vocabSize, all, 'embedding', false),
    projection: await loader.linear(loader.prefix + n.projection, all, hiddenSize),
    norm: await loader.rmsNorm(loader.prefix + n.projectionNorm, width, norm.eps),
  }
}

/** What a layer has of it; nothing in other families. */
export async function loadMore(
  loader: Loader,
  at: string,
  { hiddenSize: D, norm, layerInputs, layerScales }: Sizes,
  { beside }: LayerConfig,
  { layerInputs: n, layerScale, moe }: TensorNames,
): Promise<Pick<LayerWeights, 'besideNorms' | 'input' | 'scale'>> {
  const norms = beside?.ofStream ? moe?.ofStream : undefined
  const normOf = (name: string) => loader.rmsNorm(at + name, D, norm.eps)
  return {
    ...(norms && {
      besideNorms: { in: await normOf(norms.in), out: await normOf(norms.out), mlpOut: await normOf(norms.mlpOut) },
    }),
    ...(layerInputs &&
      n && {
        input: {
          gate: await loader.linear(at + n.gate, layerInputs.width, D),
          out: await loader.linear(at + n.out, D, layerInputs.width),
          norm: await normOf(n.norm),
        },
      }),
    ...(layerScales && layerScale && { scale: await loader.number(at + layerScale) }),
  }
}

/** Of experts that read the stream: the norm in front of the router, and each expert's factor. */
export async function loadOfStream(
  loader: Loader,
  at: string,
  { hiddenSize, norm }: Sizes,
  n: NonNullable<ExpertNames['ofStream']>,
  nExperts: number,
): Promise<NonNullable<MoeWeights['ofStream']>> {
  const weight = await loader.vector(at + n.routerNorm, hiddenSize)
  return {
    norm: { kind: 'rms', eps: norm.eps, weight, bias: null },
    factors: await loader.column(at + n.factors, nExperts),
  }
}
