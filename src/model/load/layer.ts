/** The weights of one layer. */
import type { LayerConfig } from '../../nn/config.ts'
import type { LayerWeights } from '../../nn/weights.ts'
import { loadCross, loadGrouped } from './grouped.ts'
import { loadLatent } from './latent.ts'
import { loadMore } from './layer-inputs.ts'
import type { Loader } from './loader.ts'
import { loadExperts, loadMlp } from './mlp.ts'
import { loadConvolution, loadDeltaRule } from './states.ts'

export async function loadLayer(loader: Loader, index: number, layer: LayerConfig): Promise<LayerWeights> {
  const { attention, mlp, beside, cross } = layer
  const c = loader.config
  const n = loader.names
  const at = loader.layerName(index)
  const norm = async (name: string | undefined) => (name ? await loader.norm(at + name, c.hiddenSize) : null)
  return {
    attentionNorm: await loader.streamNorm(at + n.attentionNorm),
    attention: await loadAttention(loader, at, attention),
    attentionOutNorm: await norm(n.attentionOutNorm),
    mlpNorm: n.mlpNorm && mlp.kind === 'moe' ? await loader.streamNorm(at + n.mlpNorm) : await norm(n.mlpNorm),
    mlp:
      mlp.kind === 'moe'
        ? { kind: 'moe', weights: await loadExperts(loader, at, mlp) }
        : { kind: 'dense', weights: await loadMlp(loader, at, n.mlp, mlp.size, mlp.gated) },
    mlpOutNorm: await norm(mlp.kind === 'moe' ? (n.moe?.outNorm ?? n.mlpOutNorm) : n.mlpOutNorm),
    ...(beside && { beside: await loadExperts(loader, at, beside) }),
    ...(cross && { cross: await loadCross(loader, at, cross) }),
    ...(await loadMore(loader, at, c, layer, n)),
  }
}

async function loadAttention(
  loader: Loader,
  at: string,
  c: LayerConfig['attention'],
): Promise<LayerWeights['attention']> {
  const { attention: n, convolution, delta } = loader.names
  if (c.kind === 'delta' && delta) return { kind: 'delta', weights: await loadDeltaRule(loader, at, c, delta) }
  if (c.kind === 'convolution' && convolution) {
    return { kind: 'convolution', weights: await loadConvolution(loader, at, c, convolution) }
  }
  if (c.kind === 'latent' && 'keyValueDown' in n) {
    return { kind: 'latent', weights: await loadLatent(loader, at, c, n) }
  }
  if (c.kind === 'grouped' && 'qkv' in n) return { kind: 'grouped', weights: await loadGrouped(loader, at, c, n) }
  throw new TypeError(`Loader: no names for ${c.kind}`)
}
