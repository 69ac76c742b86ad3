/** The weights of grouped attention, and of cross-attention. */
import type { CrossNames, GroupedNames } from '../../families/family.ts'
import { attendedSize, type GroupedAttentionConfig } from '../../nn/attention/config.ts'
import type { CrossWeights } from '../../nn/attention/cross.ts'
import { type GroupedWeights, projectionsOf } from '../../nn/attention/grouped.ts'
import type { Linear } from '../../nn/layers.ts'
import type { Loader } from './loader.ts'

export async function loadGrouped(
  loader: Loader,
  at: string,
  c: GroupedAttentionConfig,
  n: GroupedNames,
): Promise<GroupedWeights> {
  const { hiddenSize: D, bias } = loader.config
  const [q, kv] = [(c.gated ? 2 : 1) * c.nHeads * c.headDim, c.nKvHeads * c.headDim]
  const eps = c.qkNormEps
  const { canonical } = loader.checkpoint
  const headDim = canonical && !loader.names.neighbours && loader.config.ropes[0]?.interleaved ? c.headDim : undefined
  const qkNorm = async (name: string | undefined, size: number) =>
    name && eps !== null ? await loader.norm(at + name, c.qkNormWide ? size : c.headDim, { kind: 'rms', eps }) : null
  const own = projectionsOf(c)
  const qkv: Linear[] = []
  for (const [i, name] of n.qkv.slice(0, own).entries()) {
    const rows = n.qkv.length === 1 ? q + 2 * kv : i === 0 ? q : kv
    const reordered = n.qkv.length > 1 && i < 2 ? headDim : undefined
    qkv.push(await loader.linear(at + name, rows, D, bias.qkv, 'matrix', reordered))
  }
  return {
    qkv,
    queryNorm: await qkNorm(n.queryNorm, q),
    keyNorm: own > 1 ? await qkNorm(n.keyNorm, kv) : null,
    ...(c.valueNorm && own > 1 && eps !== null && { valueNorm: await loader.ones(`${at}value`, c.headDim, eps) }),
    sinks: c.sinks && n.sinks ? await loader.vector(at + n.sinks, c.nHeads) : null,
    out: await loader.linear(at + n.out, D, attendedSize(c), bias.attentionOut),
  }
}

export async function loadCross(loader: Loader, at: string, c: GroupedAttentionConfig): Promise<CrossWeights> {
  const { hiddenSize: D, bias } = loader.config
  const n = loader.names.cross as CrossNames
  const [q, k, v] = n.qkv
  const width = c.nKvHeads * c.headDim
  return {
    norm: await loader.norm(at + n.norm, D),
    query: await loader.linear(at + q, c.nHeads * c.headDim, D, bias.qkv),
    key: await loader.linear(at + k, width, D, bias.qkv),
    value: await loader.linear(at + v, width, D, bias.qkv),
    out: await loader.linear(at + n.out, D, attendedSize(c), bias.attentionOut),
  }
}
