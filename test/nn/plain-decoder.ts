/** Logits of a text by the formulas, in f64 and plain loops: written apart from the engine. Models of block order `pre` with RMSNorm. */
import type { Checkpoint } from '../../src/checkpoint/checkpoint.ts'
import type { GroupedAttentionConfig, LatentAttentionConfig } from '../../src/nn/attention/config.ts'
import { attentionOf, type LayerConfig, type ModelConfig, type MoeConfig } from '../../src/nn/config.ts'

type Vector = readonly number[]
type Matrix = readonly Vector[]

/** A tensor's rows by its name, from the checkpoint that the model is made of. */
async function readAll(checkpoint: Checkpoint, c: ModelConfig) {
  const matrices = new Map<string, Matrix>()
  const put = async (name: string, rows: number, cols: number) => {
    const source = rows === 1 ? checkpoint.vector(name, cols) : checkpoint.matrix(name, rows, cols)
    const bytes = await source.bytes.source.read(0, source.bytes.length)
    const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, rows * cols)
    matrices.set(
      name,
      Array.from({ length: rows }, (_, r) => [...numbers.subarray(r * cols, (r + 1) * cols)]),
    )
  }
  const D = c.hiddenSize
  const mlp = async (at: string, size: number) => {
    await put(`${at}gate_proj.weight`, size, D)
    await put(`${at}up_proj.weight`, size, D)
    await put(`${at}down_proj.weight`, D, size)
  }
  await put('model.embed_tokens.weight', c.vocabSize, D)
  await put('lm_head.weight', c.vocabSize, D)
  await put('model.norm.weight', 1, D)
  for (const [i, layer] of c.layers.entries()) {
    const [a, m] = [attentionOf(layer), layer.mlp]
    const at = `model.layers.${i}.`
    await put(`${at}input_layernorm.weight`, 1, D)
    await put(`${at}post_attention_layernorm.weight`, 1, D)
    const self = `${at}self_attn.`
    if (a.kind === 'grouped') {
      await put(`${self}q_proj.weight`, a.nHeads * a.headDim, D)
      await put(`${self}k_proj.weight`, a.nKvHeads * a.headDim, D)
      await put(`${self}v_proj.weight`, a.nKvHeads * a.headDim, D)
      await put(`${self}q_norm.weight`, 1, a.headDim)
      await put(`${self}k_norm.weight`, 1, a.headDim)
      await put(`${self}o_proj.weight`, D, a.nHeads * a.headDim)
    } else {
      const { nHeads: H, qLoraRank: Q, kvLoraRank: C, qkNopeHeadDim: N, qkRopeHeadDim: R, vHeadDim: V } = a
      if (Q) {
        await put(`${self}q_a_proj.weight`, Q, D)
        await put(`${self}q_a_layernorm.weight`, 1, Q)
        await put(`${self}q_b_proj.weight`, H * (N + R), Q)
      } else await put(`${self}q_proj.weight`, H * (N + R), D)
      await put(`${self}kv_a_proj_with_mqa.weight`, C + R, D)
      await put(`${self}kv_a_layernorm.weight`, 1, C)
      await put(`${self}kv_b_proj.weight`, H * (N + V), C)
      await put(`${self}o_proj.weight`, D, H * V)
    }
    if (m.kind === 'dense') await mlp(`${at}mlp.`, m.size)
    else {
      await put(`${at}mlp.gate.weight`, m.nExperts, D)
      await mlp(`${at}mlp.shared_experts.`, m.sharedSize)
      for (let e = 0; e < m.nExperts; e++) await mlp(`${at}mlp.experts.${e}.`, m.expertSize)
    }
  }
  return (name: string) => matrices.get(name) as Matrix
}

/** [T][vocab] */
export async function plainLogits(checkpoint: Checkpoint, c: ModelConfig, ids: readonly number[]): Promise<number[][]> {
  const weight = await readAll(checkpoint, c)
  const times = (name: string, x: Vector) => weight(`${name}.weight`).map(row => dot(row, x))
  const rms = (name: string, x: Vector, eps: number) => {
    const scale = 1 / Math.sqrt(dot(x, x) / x.length + eps)
    return x.map((v, i) => v * scale * (weight(`${name}.weight`)[0]?.[i] as number))
  }
  const rotated = (x: Vector, rope: number | null, position: number): Vector => {
    if (rope === null) return x
    const { dim, theta, interleaved } = c.ropes[rope] as ModelConfig['ropes'][number]
    const y = [...x]
    for (let i = 0; i < dim / 2; i++) {
      const [a, b] = interleaved ? [2 * i, 2 * i + 1] : [i, i + dim / 2]
      const angle = position * theta ** ((-2 * i) / dim)
      y[a] = (x[a] as number) * Math.cos(angle) - (x[b] as number) * Math.sin(angle)
      y[b] = (x[a] as number) * Math.sin(angle) + (x[b] as number) * Math.cos(angle)
    }
    return y
  }

  /** Of each token the query, key and value of each head. */
  type Heads = { readonly q: Matrix; readonly k: Matrix; readonly v: Matrix }
  const groupedHeads = (at: string, a: GroupedAttentionConfig, rope: number | null, x: Vector, p: number): Heads => {
    const heads = (name: string) => chunks(times(`${at}${name}_proj`, x), a.headDim)
    const placed = (name: string) =>
      heads(name).map(h => rotated(a.qkNormEps === null ? h : rms(`${at}${name}_norm`, h, a.qkNormEps), rope, p))
    const shared = <T>(all: readonly T[]) =>
      Array.from({ length: a.nHeads }, (_, h) => all[Math.floor((h * a.nKvHeads) / a.nHeads)] as T)
    return { q: placed('q'), k: shared(placed('k')), v: shared(heads('v')) }
  }
  const latentHeads = (at: string, a: LatentAttentionConfig, rope: number | null, x: Vector, p: number): Heads => {
    const { kvLoraRank: C, qkNopeHeadDim: N, qkRopeHeadDim: R, vHeadDim: V, latentNormEps: eps } = a
    const query =
      a.qLoraRank === null
        ? times(`${at}q_proj`, x)
        : times(`${at}q_b_proj`, rms(`${at}q_a_layernorm`, times(`${at}q_a_proj`, x), eps))
    const down = times(`${at}kv_a_proj_with_mqa`, x)
    const up = chunks(times(`${at}kv_b_proj`, rms(`${at}kv_a_layernorm`, down.slice(0, C), eps)), N + V)
    const ropeKey = rotated(down.slice(C), rope, p)
    return {
      q: chunks(query, N + R).map(h => [...h.slice(0, N), ...rotated(h.slice(N), rope, p)]),
      k: up.map(h => [...h.slice(0, N), ...ropeKey]),
      v: up.map(h => h.slice(N)),
    }
  }
  const attention = (at: string, layer: LayerConfig, x: Matrix): Matrix => {
    const { rope, window } = layer
    const a = attentionOf(layer)
    const rows = x.map((row, p) =>
      a.kind === 'latent' ? latentHeads(at, a, rope, row, p) : groupedHeads(at, a, rope, row, p),
    )
    return rows.map(({ q }, i) => {
      const seen = rows.slice(window === null ? 0 : Math.max(0, i - window + 1), i + 1)
      const out = q.flatMap((query, h) => {
        const scores = seen.map(({ k }) => a.softmaxScale * dot(query, k[h] as Vector))
        return weighted(
          softmax(scores),
          seen.map(({ v }) => v[h] as Vector),
        )
      })
      return times(`${at}o_proj`, out)
    })
  }
  const gated = (at: string, x: Vector) => {
    const up = times(`${at}up_proj`, x)
    return times(
      `${at}down_proj`,
      times(`${at}gate_proj`, x).map((g, i) => (g / (1 + Math.exp(-g))) * (up[i] as number)),
    )
  }
  const mixture = (at: string, m: MoeConfig, x: Vector) => {
    const scores = softmax(times(`${at}gate`, x))
    const chosen = [...scores.keys()].sort((i, j) => (scores[j] as number) - (scores[i] as number)).slice(0, m.topK)
    const total = chosen.reduce((sum, e) => sum + (scores[e] as number), 0)
    const parts = chosen.map(e => gated(`${at}experts.${e}.`, x).map(v => (v * (scores[e] as number)) / total))
    return parts.reduce(plus, gated(`${at}shared_experts.`, x))
  }

  let x: Matrix = ids.map(id => (weight('model.embed_tokens.weight')[id] as Vector).map(v => v * c.embeddingScale))
  for (const [i, layer] of c.layers.entries()) {
    const at = `model.layers.${i}.`
    const normed = x.map(row => rms(`${at}input_layernorm`, row, c.norm.eps))
    const attended = attention(`${at}self_attn.`, layer, normed)
    x = x.map((row, p) => plus(row, attended[p] as Vector))
    x = x.map(row => {
      const y = rms(`${at}post_attention_layernorm`, row, c.norm.eps)
      return plus(row, layer.mlp.kind === 'moe' ? mixture(`${at}mlp.`, layer.mlp, y) : gated(`${at}mlp.`, y))
    })
  }
  return x.map(row => times('lm_head', rms('model.norm', row, c.norm.eps)).map(v => v * c.logitScale))
}

function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, v, i) => sum + v * (b[i] as number), 0)
}

function plus(a: Vector, b: Vector): number[] {
  return a.map((v, i) => v + (b[i] as number))
}

function softmax(x: Vector): number[] {
  const most = Math.max(...x)
  const weights = x.map(v => Math.exp(v - most))
  const total = weights.reduce((a, b) => a + b)
  return weights.map(w => w / total)
}

function weighted(weights: Vector, rows: Matrix): number[] {
  return (rows[0] as Vector).map((_, k) =>
    rows.reduce((sum, row, i) => sum + (weights[i] as number) * (row[k] as number), 0),
  )
}

function chunks(x: Vector, size: number): number[][] {
  return Array.from({ length: x.length / size }, (_, i) => x.slice(i * size, (i + 1) * size))
}
