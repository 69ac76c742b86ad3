/** The weights of an MLP, and of experts. */
import type { ExpertNames, MlpNames } from '../../families/family.ts'
import type { ExpertWeights, WeightSource } from '../../kernels/contract/weights.ts'
import type { MoeConfig } from '../../nn/config.ts'
import type { DenseMlpWeights, MoeWeights } from '../../nn/weights.ts'
import { loadOfStream } from './layer-inputs.ts'
import type { Loader } from './loader.ts'

export async function loadMlp(
  loader: Loader,
  at: string,
  n: MlpNames,
  size: number,
  gated = true,
): Promise<DenseMlpWeights> {
  const { hiddenSize: D, bias } = loader.config
  if (!gated && n.ungated) return loadMlp(loader, at, { up: n.ungated, down: n.down }, size)
  return {
    gate: n.gate ? await loader.linear(at + n.gate, size, D, bias.mlp) : null,
    up: await loader.linear(at + n.up, n.joined ? 2 * size : size, D, bias.mlp),
    down: await loader.linear(at + n.down, D, size, bias.mlp),
  }
}

export async function loadExperts(loader: Loader, at: string, moe: MoeConfig): Promise<MoeWeights> {
  const { hiddenSize: D } = loader.config
  const n = loader.names.moe
  if (!n) throw new TypeError('Loader: a layer of experts in a family that names none')
  const { nExperts: E, expertSize: F, sharedSize, idle = 0 } = moe
  const stack = async (name: string, rows: number, cols: number): Promise<ExpertWeights> => {
    const stored = Array.from({ length: E }, (_, e) => {
      const expert = `${at}${n.expert.replace('{expert}', String(e))}${name}`
      if (loader.checkpoint.has(`${expert}.bias`))
        throw loader.unsupported(`${expert}.bias`, 'a bias of single experts')
      return loader.checkpoint.matrix(`${expert}.weight`, rows, cols)
    })
    const sources = stored.map(source => loader.typed(source, 'matrix'))
    const experts = await loader.kernels.prepareExperts(sources)
    for (const [i, source] of sources.entries())
      loader.ready(source, 'matrix', (stored[i] as WeightSource).bytes.length)
    return experts
  }
  return {
    router: await loader.linear(at + n.router, E + idle, D, moe.biased, 'router'),
    selectionBias:
      moe.selectionBias || (n.biasAtWill && loader.checkpoint.has(at + n.selectionBias))
        ? await loader.vector(at + n.selectionBias, E + idle)
        : null,
    gate: await stack(n.mlp.gate as string, F, D),
    up: await stack(n.mlp.up, F, D),
    down: await stack(n.mlp.down, D, F),
    biases: moe.biased && n.biases ? await loadExpertBiases(loader, at, n.biases, moe) : null,
    shared: sharedSize > 0 ? await loadMlp(loader, at + n.shared, n.sharedMlp ?? n.mlp, sharedSize) : null,
    ...(moe.ofStream && n.ofStream && { ofStream: await loadOfStream(loader, at, loader.config, n.ofStream, E) }),
    sharedGate: sharedSize > 0 && n.sharedGate ? await loader.linear(at + n.sharedGate, 1, D, false, 'router') : null,
  }
}

async function loadExpertBiases(
  loader: Loader,
  at: string,
  { gate, up, down }: NonNullable<ExpertNames['biases']>,
  { nExperts: E, expertSize: F }: MoeConfig,
): Promise<NonNullable<MoeWeights['biases']>> {
  const of = (name: string, length: number) => loader.matrix(at + name, E, length, 'router', false)
  return { gate: await of(gate, F), up: await of(up, F), down: await of(down, loader.config.hiddenSize) }
}
