import type { AttentionConfig, LatentAttentionConfig } from '../attention/config.ts'
import { attendedSize } from '../attention/config.ts'
import type { GroupedWeights } from '../attention/grouped.ts'
import type { LatentWeights } from '../attention/mla.ts'
import type { KeyValueUp } from '../attention/mla-up.ts'
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import { recoded } from '../checkpoint/recode/recoded.ts'
import { type WeightRole, weightTypeFor } from '../checkpoint/recode/weight-type.ts'
import type { EncodableType } from '../kernels/blocks/numbers.ts'
import type { ExpertWeights, Kernels, Weight, WeightSource, WeightUse } from '../kernels/contract.ts'
import type { Linear, Norm } from '../kernels/layers.ts'
import { type Tensor, tensorAt } from '../tensor/tensor.ts'
import type { ModelConfig } from './config.ts'
import type { GroupedNames, LatentNames, MlpNames, TensorNames } from './families/family.ts'
import { familyOf } from './families/index.ts'
import { Model, type ModelOptions } from './model.ts'
import type { DenseMlpWeights, LayerWeights, ModelWeights, MoeWeights } from './weights.ts'

export interface LoadModelOptions extends ModelOptions {
  /** Matrices are turned into this type, or what `weightTypeFor` makes of it. Default: they stay as they are stored. */
  readonly weights?: EncodableType
  /** Bytes of weights made ready, of all that the model needs. */
  readonly onProgress?: (tensor: string, loaded: number, total: number) => void
  readonly signal?: AbortSignal
}

/** Reads a checkpoint's config and prepares its weights. The kernels stay the caller's to dispose of. */
export async function loadModel(
  checkpoint: Checkpoint,
  kernels: Kernels,
  options: LoadModelOptions = {},
): Promise<Model> {
  const raw = checkpoint.configReader
  const family = familyOf(raw)
  const config = family.config(raw)
  const total = [...checkpoint.tensors.values()].reduce((n, t) => n + t.bytes.length, 0)
  let loaded = 0
  const ready: Ready = (source, _, storedBytes) => {
    options.signal?.throwIfAborted()
    loaded += storedBytes
    options.onProgress?.(source.name, loaded, total)
  }
  const loader = new Loader(checkpoint, kernels, config, family.names, ready, options.weights)
  return new Model(config, await loader.model(), kernels, options)
}

/** The part of a kernel set that loading needs. */
type WeightKernels = Pick<Kernels, 'prepare' | 'prepareExperts' | 'prepareVector'>

export interface SurveyedWeight extends WeightSource {
  /** `vector`: a norm's weight or a bias. */
  readonly role: WeightRole | 'vector'
  /** One of several experts, of which a token uses some. */
  readonly ofExpert: boolean
  /** The model's numbers are this much more than what is stored (Gemma's norms: 1). */
  readonly added: number
}

/**
 * Every tensor that a model would be loaded from, in that order, in the type in which the kernels would get it: names,
 * shapes and types are checked as in loading, no tensor's bytes are read. Throws CheckpointError for what is missing or
 * wrong.
 */
export async function surveyWeights(checkpoint: Checkpoint, weights?: EncodableType): Promise<SurveyedWeight[]> {
  const raw = checkpoint.configReader
  const { config, names } = familyOf(raw)
  const experts = new Set<WeightSource>()
  const added = new Map<WeightSource, number>()
  const kernels: WeightKernels = {
    prepare: async source => source,
    prepareExperts: async sources => {
      for (const source of sources) experts.add(source)
      return { ...(sources[0] as WeightSource), experts: sources.length }
    },
    prepareVector: async (source, add = 0) => {
      added.set(source, add)
      return tensorAt(0, 'f32', [source.cols])
    },
  }
  const found: SurveyedWeight[] = []
  const ready: Ready = (source, role) =>
    found.push({ ...source, role, ofExpert: experts.has(source), added: added.get(source) ?? 0 })
  await new Loader(checkpoint, kernels, config(raw), names, ready, weights).model()
  return found
}

/** Tensors of the checkpoint that a loaded model has not asked for and that no one would expect it to. */
export function unusedTensors(checkpoint: Checkpoint): string[] {
  const raw = checkpoint.configReader
  const { config, names } = familyOf(raw)
  const { nLayers, tiedEmbeddings } = config(raw)
  const ignored = [...(names.ignored ?? [])]
  if (tiedEmbeddings) ignored.push(new RegExp(`^${names.output}\\.weight$`))
  // Layers past the last are multi-token prediction (DeepSeek-V3): plain decoding leaves them out.
  const layer = (name: string) => Number(/(?:^|\.)(?:layers|h)\.(\d+)\./.exec(name)?.[1] ?? -1)
  return checkpoint.unused(ignored).filter(name => layer(name) < nLayers)
}

/** Told of each tensor that is ready, what it is for, and how many bytes the files have of it. */
type Ready = (source: WeightSource, role: WeightRole | 'vector', storedBytes: number) => void

/** Asks the checkpoint for every tensor by name and shape, and the kernels to prepare it. */
class Loader {
  readonly #checkpoint: Checkpoint
  readonly #kernels: WeightKernels
  readonly #config: ModelConfig
  readonly #names: TensorNames
  readonly #prefix: string
  readonly #ready: Ready
  readonly #weights: EncodableType | undefined

  constructor(
    checkpoint: Checkpoint,
    kernels: WeightKernels,
    config: ModelConfig,
    names: TensorNames,
    ready: Ready,
    weights?: EncodableType,
  ) {
    this.#checkpoint = checkpoint
    this.#kernels = kernels
    this.#config = config
    this.#names = checkpoint.canonical ? { ...names, transposed: false, normOffset: 0 } : names
    this.#ready = ready
    this.#weights = weights
    const { prefixes, embedding } = names
    this.#prefix = prefixes.find(p => checkpoint.has(`${p}${embedding}.weight`)) ?? (prefixes[0] as string)
  }

  async model(): Promise<ModelWeights> {
    const c = this.#config
    const n = this.#names
    const rows = (name: string, count: number, use: WeightUse, role: WeightRole) =>
      this.#matrix(`${name}.weight`, count, c.hiddenSize, use, role, false)
    const tied = c.tiedEmbeddings
    const embedding = await rows(this.#prefix + n.embedding, c.vocabSize, 'embedding', tied ? 'tied' : 'embedding')
    const positions = n.positions
      ? await rows(this.#prefix + n.positions, c.maxPositions, 'embedding', 'positions')
      : null
    const layers: LayerWeights[] = []
    for (let i = 0; i < c.nLayers; i++) layers.push(await this.#layer(i))
    const finalNorm = c.finalNorm && n.finalNorm ? await this.#norm(this.#prefix + n.finalNorm, c.hiddenSize) : null
    const output = tied ? embedding : await rows(n.output, c.vocabSize, 'matmul', 'output')
    return { embedding, positions, layers, finalNorm, output }
  }

  async #layer(index: number): Promise<LayerWeights> {
    const c = this.#config
    const n = this.#names
    const at = this.#prefix + n.layer.replace('{layer}', String(index))
    const norm = async (name: string | undefined) => (name ? await this.#norm(at + name, c.hiddenSize) : null)
    return {
      attentionNorm: await this.#norm(at + n.attentionNorm, c.hiddenSize),
      attention: await this.#attention(at, c.attention, n.attention),
      attentionOutNorm: await norm(n.attentionOutNorm),
      mlpNorm: await norm(n.mlpNorm),
      mlp:
        c.layers[index]?.mlp === 'moe'
          ? { kind: 'moe', weights: await this.#experts(at) }
          : { kind: 'dense', weights: await this.#mlp(at, n.mlp, c.mlp.size) },
      mlpOutNorm: await norm(n.mlpOutNorm),
    }
  }

  async #attention(at: string, c: AttentionConfig, n: GroupedNames | LatentNames): Promise<LayerWeights['attention']> {
    if (c.kind === 'latent' && 'keyValueDown' in n) {
      return { kind: 'latent', weights: await this.#latent(at, c, n) }
    }
    if (c.kind === 'grouped' && 'qkv' in n) return { kind: 'grouped', weights: await this.#grouped(at, c, n) }
    throw new TypeError(`Loader: names of another kind of attention than ${c.kind}`)
  }

  async #latent(at: string, c: LatentAttentionConfig, n: LatentNames): Promise<LatentWeights> {
    const { hiddenSize: D, bias } = this.#config
    const heads = c.nHeads * (c.qkNopeHeadDim + c.qkRopeHeadDim)
    const Q = c.qLoraRank
    const norm = (name: string, size: number) => this.#norm(at + name, size, { kind: 'rms', eps: c.latentNormEps })
    return {
      queryDown: Q
        ? { linear: await this.#linear(at + n.queryDown, Q, D, bias.qkv), norm: await norm(n.queryDownNorm, Q) }
        : null,
      query: Q
        ? await this.#linear(at + n.queryUp, heads, Q, false)
        : await this.#linear(at + n.query, heads, D, false),
      keyValueDown: await this.#linear(at + n.keyValueDown, c.kvLoraRank + c.qkRopeHeadDim, D, bias.qkv, 'latent'),
      latentNorm: await norm(n.latentNorm, c.kvLoraRank),
      keyValueUp: await this.#keyValueUp(at, c, n),
      out: await this.#linear(at + n.out, D, attendedSize(c), bias.attentionOut),
    }
  }

  async #keyValueUp(at: string, c: LatentAttentionConfig, n: LatentNames): Promise<KeyValueUp> {
    const { nHeads: H, kvLoraRank: C, qkNopeHeadDim: N, vHeadDim: V } = c
    const named = (name: string) => `${at}${name}.weight`
    if (this.#checkpoint.has(named(n.keyValueUp)) || !this.#checkpoint.has(named(n.keyUp))) {
      return { kind: 'joined', weight: await this.#matrix(named(n.keyValueUp), H * (N + V), C, 'heads') }
    }
    return {
      kind: 'split',
      key: await this.#matrix(named(n.keyUp), H * C, N, 'heads'),
      value: await this.#matrix(named(n.valueUp), H * V, C, 'heads'),
    }
  }

  async #grouped(
    at: string,
    c: Extract<AttentionConfig, { kind: 'grouped' }>,
    n: GroupedNames,
  ): Promise<GroupedWeights> {
    const { hiddenSize: D, bias } = this.#config
    const [q, kv] = [c.nHeads * c.headDim, c.nKvHeads * c.headDim]
    const eps = c.qkNormEps
    const qkNorm = async (name: string | undefined) =>
      name && eps !== null ? await this.#norm(at + name, c.headDim, { kind: 'rms', eps }) : null
    return {
      qkv:
        n.qkv.length === 1
          ? [await this.#linear(at + n.qkv[0], q + 2 * kv, D, bias.qkv)]
          : [
              await this.#linear(at + n.qkv[0], q, D, bias.qkv),
              await this.#linear(at + n.qkv[1], kv, D, bias.qkv),
              await this.#linear(at + n.qkv[2], kv, D, bias.qkv),
            ],
      queryNorm: await qkNorm(n.queryNorm),
      keyNorm: await qkNorm(n.keyNorm),
      out: await this.#linear(at + n.out, D, attendedSize(c), bias.attentionOut),
    }
  }

  async #mlp(at: string, n: MlpNames, size: number): Promise<DenseMlpWeights> {
    const { hiddenSize: D, bias } = this.#config
    return {
      gate: n.gate ? await this.#linear(at + n.gate, size, D, bias.mlp) : null,
      up: await this.#linear(at + n.up, size, D, bias.mlp),
      down: await this.#linear(at + n.down, D, size, bias.mlp),
    }
  }

  async #experts(at: string): Promise<MoeWeights> {
    const { hiddenSize: D, moe } = this.#config
    const n = this.#names.moe
    if (!moe || !n) throw new TypeError('Loader: a layer of experts in a family that names none')
    const { nExperts: E, expertSize: F, sharedSize } = moe
    const stack = async (name: string, rows: number, cols: number): Promise<ExpertWeights> => {
      const stored = Array.from({ length: E }, (_, e) =>
        this.#checkpoint.matrix(`${at}${n.expert.replace('{expert}', String(e))}${name}.weight`, rows, cols),
      )
      const sources = stored.map(source => this.#typed(source, 'matrix'))
      const experts = await this.#kernels.prepareExperts(sources)
      for (const [i, source] of sources.entries())
        this.#ready(source, 'matrix', (stored[i] as WeightSource).bytes.length)
      return experts
    }
    return {
      router: await this.#linear(at + n.router, E, D, false, 'router'),
      selectionBias: moe.selectionBias ? await this.#vector(at + n.selectionBias, E) : null,
      gate: await stack(n.mlp.gate as string, F, D),
      up: await stack(n.mlp.up, F, D),
      down: await stack(n.mlp.down, D, F),
      shared: sharedSize > 0 ? await this.#mlp(at + n.shared, n.mlp, sharedSize) : null,
    }
  }

  async #linear(name: string, rows: number, cols: number, bias: boolean, role: WeightRole = 'matrix'): Promise<Linear> {
    return {
      weight: await this.#matrix(`${name}.weight`, rows, cols, 'matmul', role),
      bias: bias ? await this.#vector(`${name}.bias`, rows) : null,
    }
  }

  async #norm(name: string, size: number, settings: Pick<Norm, 'kind' | 'eps'> = this.#config.norm): Promise<Norm> {
    const { kind, eps } = settings
    return {
      kind,
      eps,
      weight: await this.#vector(`${name}.weight`, size, this.#names.normOffset),
      bias: kind === 'layer' ? await this.#vector(`${name}.bias`, size) : null,
    }
  }

  async #matrix(
    name: string,
    rows: number,
    cols: number,
    use: WeightUse,
    role: WeightRole = 'matrix',
    transposed = this.#names.transposed ?? false,
  ): Promise<Weight> {
    const stored = this.#checkpoint.matrix(name, rows, cols, { transposed })
    const source = this.#typed(stored, role)
    const weight = await this.#kernels.prepare(source, use)
    this.#ready(source, role, stored.bytes.length)
    return weight
  }

  #typed(source: WeightSource, role: WeightRole): WeightSource {
    return this.#weights ? recoded(source, weightTypeFor(this.#weights, role, source.cols)) : source
  }

  async #vector(name: string, length: number, add?: number): Promise<Tensor> {
    const source = this.#checkpoint.vector(name, length)
    const vector = await this.#kernels.prepareVector(source, add)
    this.#ready(source, 'vector', source.bytes.length)
    return vector
  }
}
