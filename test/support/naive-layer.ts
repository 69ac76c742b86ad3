/**
 * A model of one layer in float64 and plain loops, with grouped or latent attention: written from the formulas, apart from
 * the engine, so that it can say what a bias changes.
 */
export interface NaiveTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

export type NaiveTensors = Readonly<Record<string, NaiveTensor>>

interface NaiveSizes {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  /** Of MLA: the part of a head without positions, that with, and the values. */
  readonly latent?: {
    readonly C: number
    readonly N: number
    readonly R: number
    readonly V: number
    readonly Q: number
  }
}

const EPS = 1e-6
const AT = 'model.layers.0.'

/** Logits of every token, [T][vocab]. Rope turns neighbours, base 10,000; tied embeddings. */
export function naiveLogits(t: NaiveTensors, sizes: NaiveSizes, ids: readonly number[]): number[][] {
  const embedding = t['model.embed_tokens.weight'] as NaiveTensor
  const D = embedding.shape[1] as number
  let x = ids.map(id => [...embedding.data.subarray(id * D, (id + 1) * D)])
  const normed = x.map(row => rms(row, t, `${AT}input_layernorm`))
  const attended = sizes.latent ? latent(t, sizes, sizes.latent, normed) : grouped(t, sizes, normed)
  x = x.map((row, i) => plus(row, linear(t, `${AT}self_attn.o_proj`, attended[i] as number[])))
  x = x.map(row => {
    const y = rms(row, t, `${AT}post_attention_layernorm`)
    return plus(row, t[`${AT}mlp.gate.weight`] ? mixture(t, y) : gated(t, `${AT}mlp.`, y))
  })
  const head = { ...t, 'lm_head.weight': embedding }
  return x.map(row => linear(head, 'lm_head', rms(row, t, 'model.norm')))
}

function gated(t: NaiveTensors, at: string, x: readonly number[]): number[] {
  const gate = linear(t, `${at}gate_proj`, x)
  const up = linear(t, `${at}up_proj`, x)
  const hidden = gate.map((g, i) => (g / (1 + Math.exp(-g))) * (up[i] as number))
  return linear(t, `${at}down_proj`, hidden)
}

/** All experts are chosen: each counts by its share of the sigmoids. A shared one beside them. */
function mixture(t: NaiveTensors, x: readonly number[]): number[] {
  const scores = linear(t, `${AT}mlp.gate`, x).map(score => 1 / (1 + Math.exp(-score)))
  const total = scores.reduce((a, b) => a + b)
  const parts = scores.map((s, e) => gated(t, `${AT}mlp.experts.${e}.`, x).map(v => (v * s) / total))
  return parts.reduce(plus, gated(t, `${AT}mlp.shared_experts.`, x))
}

function grouped(t: NaiveTensors, { heads, kvHeads, headDim: d }: NaiveSizes, x: number[][]): number[][] {
  const project = (name: string, turned: boolean) =>
    x.map((row, p) => {
      const flat = linear(t, `${AT}self_attn.${name}_proj`, row)
      return chunks(flat, d).map(head => (turned ? rope(head, p) : head))
    })
  const [q, k, v] = [project('q', true), project('k', true), project('v', false)]
  const of = (rows: number[][][], h: number) => rows.map(row => row[Math.floor((h * kvHeads) / heads)] as number[])
  return attend(
    x.length,
    heads,
    d ** -0.5,
    (h, i) => q[i]?.[h] as number[],
    h => of(k, h),
    h => of(v, h),
  )
}

function latent(
  t: NaiveTensors,
  { heads }: NaiveSizes,
  { C, N, R, V }: NonNullable<NaiveSizes['latent']>,
  x: number[][],
): number[][] {
  const at = `${AT}self_attn.`
  const q = x.map((row, p) => {
    const down = rms(linear(t, `${at}q_a_proj`, row), t, `${at}q_a_layernorm`)
    return chunks(linear(t, `${at}q_b_proj`, down), N + R).map(h => [...h.slice(0, N), ...rope(h.slice(N), p)])
  })
  const keys: number[][][] = []
  const values: number[][][] = []
  for (const [p, row] of x.entries()) {
    const down = linear(t, `${at}kv_a_proj_with_mqa`, row)
    const ropeKey = rope(down.slice(C), p)
    const up = chunks(linear(t, `${at}kv_b_proj`, rms(down.slice(0, C), t, `${at}kv_a_layernorm`)), N + V)
    keys.push(up.map(h => [...h.slice(0, N), ...ropeKey]))
    values.push(up.map(h => h.slice(N)))
  }
  const of = (rows: number[][][], h: number) => rows.map(row => row[h] as number[])
  const scale = (N + R) ** -0.5
  return attend(
    x.length,
    heads,
    scale,
    (h, i) => q[i]?.[h] as number[],
    h => of(keys, h),
    h => of(values, h),
  )
}

function attend(
  T: number,
  heads: number,
  scale: number,
  query: (head: number, token: number) => number[],
  keys: (head: number) => number[][],
  values: (head: number) => number[][],
): number[][] {
  return Array.from({ length: T }, (_, i) =>
    Array.from({ length: heads }, (_, h) => {
      const scores = keys(h)
        .slice(0, i + 1)
        .map(key => scale * dot(query(h, i), key))
      const most = Math.max(...scores)
      const weights = scores.map(s => Math.exp(s - most))
      const total = weights.reduce((a, b) => a + b)
      const v = values(h)
      return (v[0] as number[]).map((_, k) =>
        weights.reduce((sum, w, j) => sum + (w / total) * (v[j]?.[k] as number), 0),
      )
    }).flat(),
  )
}

function linear(t: NaiveTensors, module: string, x: readonly number[]): number[] {
  const { data, shape } = t[`${module}.weight`] as NaiveTensor
  const [rows, cols] = shape as [number, number]
  const bias = t[`${module}.bias`]?.data
  return Array.from({ length: rows }, (_, r) => dot(data.subarray(r * cols, (r + 1) * cols), x) + (bias?.[r] ?? 0))
}

function rms(x: readonly number[], t: NaiveTensors, module: string): number[] {
  const weight = (t[`${module}.weight`] as NaiveTensor).data
  const scale = 1 / Math.sqrt(dot(x, x) / x.length + EPS)
  return x.map((v, i) => v * scale * (weight[i] as number))
}

function rope(x: readonly number[], position: number): number[] {
  const y = [...x]
  for (let i = 0; i < x.length; i += 2) {
    const angle = position * 10_000 ** (-i / x.length)
    const [a, b] = [x[i] as number, x[i + 1] as number]
    y[i] = a * Math.cos(angle) - b * Math.sin(angle)
    y[i + 1] = a * Math.sin(angle) + b * Math.cos(angle)
  }
  return y
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}

function plus(a: readonly number[], b: readonly number[]): number[] {
  return a.map((v, i) => v + (b[i] as number))
}

function chunks(x: readonly number[], size: number): number[][] {
  return Array.from({ length: x.length / size }, (_, i) => x.slice(i * size, (i + 1) * size))
}
