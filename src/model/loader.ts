import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import { quote } from '../checkpoint/quote.ts'
import { recoded } from '../checkpoint/recode/recoded.ts'
import { readRows } from '../checkpoint/recode/weight-rows.ts'
import { type WeightRole, weightTypeFor } from '../checkpoint/recode/weight-type.ts'
import { UnsupportedModelError } from '../errors.ts'
import type {
  CrossNames,
  ExpertNames,
  GroupedNames,
  LatentNames,
  LayerInputNames,
  MlpNames,
  TensorNames,
} from '../families/family.ts'
import { namesOfOne } from '../families/names.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { ExpertWeights, Weight, WeightSource } from '../kernels/contract/weights.ts'
import {
  attendedSize,
  type GroupedAttentionConfig,
  INDEX_NORM_EPS,
  type LatentAttentionConfig,
  ownIndexer,
} from '../nn/attention/config.ts'
import type { CrossWeights } from '../nn/attention/cross.ts'
import { type DistanceBias, type DistanceBiasConfig, distanceColumns } from '../nn/attention/distance-bias.ts'
import { type GroupedWeights, projectionsOf } from '../nn/attention/grouped.ts'
import type { LatentWeights } from '../nn/attention/mla.ts'
import type { KeyValueUp } from '../nn/attention/mla-up.ts'
import {
  attentionOf,
  type EncoderConfig,
  type LayerConfig,
  type ModelConfig,
  type MoeConfig,
  type SourceConfig,
} from '../nn/config.ts'
import type { Linear, LowRank, Norm } from '../nn/layers.ts'
import { type PredictionWeights, predictionLayer } from '../nn/prediction.ts'
import type { DenseMlpWeights, EncoderWeights, LayerWeights, ModelWeights, MoeWeights } from '../nn/weights.ts'
import type { EncodableType } from '../quant/numbers.ts'
import { reshape, type Tensor } from '../tensor/tensor.ts'
import { constantVector } from './constant-vector.ts'
import { distanceTable } from './distance-table.ts'
import { loadLayerInputs, loadMore, loadOfStream } from './load-layer-inputs.ts'
import { type LayerParts, loadConvolution, loadDeltaRule } from './load-states.ts'
import { rowsFrom } from './rows-from.ts'
import { sinusoids } from './sinusoids.ts'
import { valuePart, withValueBias } from './value-bias.ts'

/** The part of a kernel set that loading needs. */
export interface WeightKernels extends Pick<Kernels, 'prepare' | 'prepareExperts' | 'prepareVector'> {
  /** Reads a vector of one number. Default: from the checkpoint. */
  number?(source: WeightSource): Promise<number>
}

/**
 * Told of each tensor that is ready, what it is for, and how many bytes the files have of it. `made`: numbers of f32 that the kernels have in its
 * place, where they are not its own.
 */
export type Ready = (source: WeightSource, role: WeightRole | 'vector', storedBytes: number, made?: number) => void

/** Low-rank changes of a model's matrices. */
export interface Adapters {
  /**
   * What is added to the matrix [rows, cols] of a module, by its name in the checkpoint; undefined: nothing. `headDim`: the checkpoint has
   * the rows of heads of so many as llama.cpp rotates them, neighbours instead of halves.
   */
  of(module: string, rows: number, cols: number, headDim?: number): Promise<LowRank | undefined>
}

export interface LoaderOptions {
  /** Matrices are converted to this type, or to what `weightTypeFor` makes of it. Default: as stored. */
  readonly weights?: EncodableType
  readonly adapters?: Adapters
}

/** Asks the checkpoint for every tensor by name and shape, and the kernels to prepare it. */
export class Loader {
  readonly #checkpoint: Checkpoint
  readonly #kernels: WeightKernels
  readonly #config: ModelConfig
  readonly #names: TensorNames
  readonly #prefix: string
  readonly #ready: Ready
  readonly #weights: EncodableType | undefined
  readonly #adapters: Adapters | undefined
  /** Biases that were met although config.json does not speak of them. */
  readonly unannounced = new Set<string>()

  constructor(
    checkpoint: Checkpoint,
    kernels: WeightKernels,
    config: ModelConfig,
    names: TensorNames,
    ready: Ready,
    { weights, adapters }: LoaderOptions = {},
  ) {
    this.#checkpoint = checkpoint
    this.#kernels = kernels
    this.#config = config
    this.#names = checkpoint.canonical ? { ...names, transposed: false, normOffset: 0 } : names
    this.#ready = ready
    this.#weights = weights
    this.#adapters = adapters
    const { prefixes } = names
    const embedding = this.#embedding()
    this.#prefix = prefixes.find(p => checkpoint.has(`${p}${embedding}.weight`)) ?? (prefixes[0] as string)
  }

  #embedding(): string {
    const { embedding, ownEmbedding } = this.#names
    return this.#config.source && !this.#config.source.sharedEmbedding && ownEmbedding ? ownEmbedding : embedding
  }

  /** `embedding`: the matrix if it is loaded already. */
  async model(embedding?: Weight): Promise<ModelWeights> {
    const c = this.#config
    const n = this.#names
    const rows = (name: string, count: number, role: WeightRole) =>
      this.#matrix(`${name}.weight`, count, c.hiddenSize, role, false)
    const tied = n.ownOutput ? !this.#checkpoint.has(`${n.output}.weight`) : c.tiedEmbeddings
    const tokens = embedding ?? (await rows(this.#prefix + this.#embedding(), c.vocabSize, tied ? 'tied' : 'embedding'))
    const positions = n.positions
      ? await this.#positions(this.#prefix + n.positions)
      : c.sinusoidalPositions
        ? await this.#kernels.prepare(sinusoids(c.maxPositions, c.hiddenSize))
        : null
    const layerInputs =
      c.layerInputs && (await loadLayerInputs(this.#parts, this.#prefix, c, n.layerInputs as LayerInputNames))
    const distanceBias = c.distanceBias && (await this.#distanceBias(c.distanceBias))
    const layers: LayerWeights[] = []
    const each = c.layersInOne ?? 1
    const loaders = each === 1 ? [this] : Array.from({ length: each }, (_, i) => this.#beside(c, namesOfOne(n, i)))
    for (const [i, layer] of c.layers.entries()) {
      layers.push(await (loaders[i % each] as Loader).#layer(Math.floor(i / each), layer))
    }
    for (const loader of loaders) for (const name of loader.unannounced) this.unannounced.add(name)
    const finalNorm = c.finalNorm && n.finalNorm ? await this.#norm(this.#prefix + n.finalNorm, c.hiddenSize) : null
    const stream = {
      ...{ embedding: tokens, positions, layers, finalNorm },
      ...(layerInputs && { layerInputs }),
      ...(distanceBias && { distanceBias }),
    }
    if (c.encoder) return { ...stream, output: null, encoder: await this.#encoder(c.encoder) }
    const bias = n.outputBias ? await this.#rowBias(n.outputBias, c.vocabSize) : await this.#bias(n.output, c.vocabSize)
    if (bias && c.logitScale !== 1) throw this.#unsupported(`${n.output}.bias`, 'a bias of logits that are scaled')
    const weight = tied ? tokens : await rows(n.output, c.vocabSize, 'output')
    const output = { weight, bias, ...(await this.#adapter(n.output, c.vocabSize, c.hiddenSize)) }
    const source = c.source && (await this.#source(c.source, tokens))
    return { ...stream, output, encoder: null, ...(source && { source }) }
  }

  /** The encoder of an encoder-decoder, with the decoder's embedding where they share it. */
  async #source({ encoder, sharedEmbedding }: SourceConfig, embedding: Weight): Promise<ModelWeights> {
    const { source: known } = this.#names
    if (!known) throw new TypeError('Loader: an encoder-decoder whose family does not name its encoder')
    const names = sharedEmbedding ? known : { ...known, embedding: known.ownEmbedding ?? known.embedding }
    const loader = this.#beside(encoder, names)
    const weights = await loader.model(sharedEmbedding ? embedding : undefined)
    for (const name of loader.unannounced) this.unannounced.add(name)
    return weights
  }

  /** Of the same checkpoint, for what is called otherwise in it. */
  #beside(config: ModelConfig, names: TensorNames): Loader {
    const options = {
      ...(this.#weights && { weights: this.#weights }),
      ...(this.#adapters && { adapters: this.#adapters }),
    }
    return new Loader(this.#checkpoint, this.#kernels, config, names, this.#ready, options)
  }

  /** The module of multi-token prediction that is stored as layer `index`, in DeepSeek-V3's layout. */
  async prediction(index: number): Promise<PredictionWeights> {
    const { hiddenSize: D } = this.#config
    const at = this.#layerName(index)
    return {
      join: {
        embeddingNorm: await this.#norm(`${at}enorm`, D),
        hiddenNorm: await this.#norm(`${at}hnorm`, D),
        linear: await this.#linear(`${at}eh_proj`, D, 2 * D),
      },
      layer: await this.#layer(index, predictionLayer(this.#config)),
      norm: await this.#norm(`${at}shared_head.norm`, D),
    }
  }

  #layerName(index: number): string {
    return this.#prefix + this.#names.layer.replace('{layer}', String(index))
  }

  /** Learned positions, from the row of position 0 on. */
  async #positions(name: string): Promise<Weight> {
    const { maxPositions, hiddenSize, encoder } = this.#config
    const before = encoder?.firstPosition ?? 0
    const stored = this.#checkpoint.matrix(`${name}.weight`, before + maxPositions, hiddenSize)
    return this.#prepareMatrix(rowsFrom(stored, before), 'positions', stored.bytes.length)
  }

  async #encoder({ tokenTypes, head, embeddingNorm = true }: EncoderConfig): Promise<EncoderWeights> {
    if (!embeddingNorm) return { tokenTypes: null, embeddingNorm: null, head: null }
    const { hiddenSize: D } = this.#config
    const n = this.#names.encoder
    if (!n) throw new TypeError('Loader: an encoder whose family does not name its parts')
    const at = (module: string) => this.#prefix + module
    return {
      tokenTypes: tokenTypes
        ? await this.#matrix(at(`${n.tokenTypes}.weight`), tokenTypes, D, 'positions', false)
        : null,
      embeddingNorm: await this.#norm(at(n.embeddingNorm), D),
      head: head && {
        dense: head.dense ? await this.#linear(this.#either(n.headDense), D, D, true) : null,
        out: await this.#linear(n.headOut, head.scores, D, true),
      },
    }
  }

  /** With the model's prefix if the checkpoint has it so. */
  #either(module: string): string {
    const prefixed = this.#prefix + module
    return this.#checkpoint.has(`${prefixed}.weight`) ? prefixed : module
  }

  /** The biases of neighbouring distances, from those of their buckets. */
  async #distanceBias(c: DistanceBiasConfig): Promise<DistanceBias> {
    const { layers, encoder } = this.#config
    const H = attentionOf(layers[0] as LayerConfig).nHeads
    const ahead = encoder !== undefined
    const stored = this.#checkpoint.matrix(`${this.#prefix}${this.#names.distanceBias}.weight`, c.buckets, H)
    const { start, count } = distanceColumns(c, ahead)
    const vector = await this.#kernels.prepareVector(distanceTable(stored, c, ahead))
    this.#ready(stored, 'vector', stored.bytes.length, H * count)
    return { table: reshape(vector, [H, count]), start }
  }

  /** A bias that is stored as a matrix of one row. */
  async #rowBias(name: string, length: number): Promise<Tensor | null> {
    if (!this.#checkpoint.has(name)) return null
    const source = this.#checkpoint.matrix(name, 1, length)
    return this.#prepared(source, source.bytes.length)
  }

  async #layer(index: number, layer: LayerConfig): Promise<LayerWeights> {
    const { attention, mlp, beside, cross } = layer
    const c = this.#config
    const n = this.#names
    const at = this.#layerName(index)
    const norm = async (name: string | undefined) => (name ? await this.#norm(at + name, c.hiddenSize) : null)
    return {
      attentionNorm: await this.#streamNorm(at + n.attentionNorm),
      attention: await this.#attention(at, attention),
      attentionOutNorm: await norm(n.attentionOutNorm),
      mlpNorm: n.mlpNorm && mlp.kind === 'moe' ? await this.#streamNorm(at + n.mlpNorm) : await norm(n.mlpNorm),
      mlp:
        mlp.kind === 'moe'
          ? { kind: 'moe', weights: await this.#experts(at, mlp) }
          : { kind: 'dense', weights: await this.#mlp(at, n.mlp, mlp.size, mlp.gated) },
      mlpOutNorm: await norm(mlp.kind === 'moe' ? (n.moe?.outNorm ?? n.mlpOutNorm) : n.mlpOutNorm),
      ...(beside && { beside: await this.#experts(at, beside) }),
      ...(cross && { cross: await this.#cross(at, cross) }),
      ...(await loadMore(this.#parts, at, c, layer, n)),
    }
  }

  async #cross(at: string, c: GroupedAttentionConfig): Promise<CrossWeights> {
    const { hiddenSize: D, bias } = this.#config
    const n = this.#names.cross as CrossNames
    const [q, k, v] = n.qkv
    const width = c.nKvHeads * c.headDim
    return {
      norm: await this.#norm(at + n.norm, D),
      query: await this.#linear(at + q, c.nHeads * c.headDim, D, bias.qkv),
      key: await this.#linear(at + k, width, D, bias.qkv),
      value: await this.#linear(at + v, width, D, bias.qkv),
      out: await this.#linear(at + n.out, D, attendedSize(c), bias.attentionOut),
    }
  }

  async #attention(at: string, c: LayerConfig['attention']): Promise<LayerWeights['attention']> {
    const { attention: n, convolution, delta } = this.#names
    if (c.kind === 'delta' && delta) return { kind: 'delta', weights: await loadDeltaRule(this.#parts, at, c, delta) }
    if (c.kind === 'convolution' && convolution) {
      return { kind: 'convolution', weights: await loadConvolution(this.#parts, at, c, convolution) }
    }
    if (c.kind === 'latent' && 'keyValueDown' in n) {
      return { kind: 'latent', weights: await this.#latent(at, c, n) }
    }
    if (c.kind === 'grouped' && 'qkv' in n) return { kind: 'grouped', weights: await this.#grouped(at, c, n) }
    throw new TypeError(`Loader: no names for ${c.kind}`)
  }

  async #latent(at: string, c: LatentAttentionConfig, n: LatentNames): Promise<LatentWeights> {
    const { hiddenSize: D, bias } = this.#config
    const heads = c.nHeads * (c.qkNopeHeadDim + c.qkRopeHeadDim)
    const Q = c.qLoraRank
    const small = c.constantNorm === true
    const norm = (name: string, size: number) => this.#norm(at + name, size, { kind: 'rms', eps: c.latentNormEps })
    return {
      queryDown: Q
        ? {
            linear: await this.#linear(at + n.queryDown, Q, D, bias.qkv, small ? 'small' : 'matrix'),
            norm: await norm(n.queryDownNorm, Q),
          }
        : null,
      query: Q
        ? await this.#linear(at + n.queryUp, c.gated ? heads + c.nHeads * c.vHeadDim : heads, c.gated ? 2 * Q : Q)
        : await this.#linear(at + n.query, heads, D),
      keyValueDown: await this.#linear(
        at + n.keyValueDown,
        c.kvLoraRank + c.qkRopeHeadDim,
        D,
        bias.qkv,
        small ? 'small' : 'latent',
      ),
      latentNorm: await norm(n.latentNorm, c.kvLoraRank),
      keyValueUp: await this.#keyValueUp(at, c, n),
      ...(c.headGate && n.headGate && { headGate: await this.#linear(at + n.headGate, c.nHeads, D) }),
      out: await this.#latentOut(at, c, n),
      ...(await this.#indexer(at, c, n)),
    }
  }

  async #indexer(at: string, c: LatentAttentionConfig, n: LatentNames): Promise<Pick<LatentWeights, 'indexer'>> {
    const own = ownIndexer(c)
    if (!own || !n.indexer || c.qLoraRank === null) return {}
    const { hiddenSize: D } = this.#config
    const { query, key, keyNorm, weights } = n.indexer
    return {
      indexer: {
        query: await this.#linear(at + query, own.nHeads * own.headDim, c.qLoraRank),
        // What it chooses depends on all later tokens' queries, as the latent does; and a rounded weight of a head may choose another key.
        key: await this.#linear(at + key, own.headDim, D, false, 'latent'),
        keyNorm: await this.#norm(at + keyNorm, own.headDim, { kind: 'layer', eps: INDEX_NORM_EPS }),
        weights: await this.#linear(at + weights, own.nHeads, D, false, 'router'),
      },
    }
  }

  /** With the bias of the values taken in, where they have one. */
  async #latentOut(at: string, c: LatentAttentionConfig, n: LatentNames): Promise<Linear> {
    const { hiddenSize: D, bias } = this.#config
    const { nHeads: H, qkNopeHeadDim: N, vHeadDim: V } = c
    const of = (name: string, length: number) => this.#optionalVector(`${at}${name}.bias`, length)
    const joined = of(n.keyValueUp, H * (N + V))
    of(n.keyUp, H * N)
    const values = of(n.valueUp, H * V)
    const out = at + n.out
    const found = values ?? joined
    if (!found) return this.#linear(out, D, attendedSize(c), bias.attentionOut)
    const source = withValueBias(
      this.#checkpoint.matrix(`${out}.weight`, D, H * V),
      () => valuePart(found, H, V),
      of(n.out, D),
    )
    const weight = await this.#matrix(`${out}.weight`, D, H * V)
    const adapter = await this.#adapter(out, D, H * V)
    if (adapter.adapter) {
      throw this.#unsupported(
        found.name,
        'a bias that is computed with as a part of the output, which the adapter changes',
      )
    }
    return { weight, bias: await this.#prepared(source, found.bytes.length) }
  }

  async #keyValueUp(at: string, c: LatentAttentionConfig, n: LatentNames): Promise<KeyValueUp> {
    const { nHeads: H, kvLoraRank: C, qkNopeHeadDim: N, vHeadDim: V } = c
    const named = (name: string) => `${at}${name}.weight`
    const adapter = await this.#adapter(at + n.keyValueUp, H * (N + V), C)
    if (this.#checkpoint.has(named(n.keyValueUp)) || !this.#checkpoint.has(named(n.keyUp))) {
      return { kind: 'joined', weight: await this.#matrix(named(n.keyValueUp), H * (N + V), C), ...adapter }
    }
    return {
      kind: 'split',
      key: await this.#matrix(named(n.keyUp), H * C, N),
      value: await this.#matrix(named(n.valueUp), H * V, C),
      ...adapter,
    }
  }

  async #grouped(at: string, c: GroupedAttentionConfig, n: GroupedNames): Promise<GroupedWeights> {
    const { hiddenSize: D, bias } = this.#config
    const [q, kv] = [(c.gated ? 2 : 1) * c.nHeads * c.headDim, c.nKvHeads * c.headDim]
    const eps = c.qkNormEps
    const { canonical } = this.#checkpoint
    const rotated = canonical && !this.#names.neighbours && this.#config.ropes[0]?.interleaved ? c.headDim : undefined
    const qkNorm = async (name: string | undefined, size: number) =>
      name && eps !== null ? await this.#norm(at + name, c.qkNormWide ? size : c.headDim, { kind: 'rms', eps }) : null
    const own = projectionsOf(c)
    const qkv: Linear[] = []
    for (const [i, name] of n.qkv.slice(0, own).entries()) {
      const rows = n.qkv.length === 1 ? q + 2 * kv : i === 0 ? q : kv
      const turned = n.qkv.length > 1 && i < 2 ? rotated : undefined
      qkv.push(await this.#linear(at + name, rows, D, bias.qkv, 'matrix', turned))
    }
    return {
      qkv,
      queryNorm: await qkNorm(n.queryNorm, q),
      keyNorm: own > 1 ? await qkNorm(n.keyNorm, kv) : null,
      ...(c.valueNorm && own > 1 && eps !== null && { valueNorm: await this.#ones(`${at}value`, c.headDim, eps) }),
      sinks: c.sinks && n.sinks ? await this.#vector(at + n.sinks, c.nHeads) : null,
      out: await this.#linear(at + n.out, D, attendedSize(c), bias.attentionOut),
    }
  }

  /** A norm whose weights no file has. */
  async #ones(name: string, size: number, eps: number): Promise<Norm> {
    const weight = await this.#kernels.prepareVector(constantVector(name, size, 1))
    return { kind: 'rms', eps, weight, bias: null }
  }

  /** What layers with states are loaded by. */
  get #parts(): LayerParts {
    return {
      hiddenSize: this.#config.hiddenSize,
      linear: (name, rows, cols, announced) => this.#linear(name, rows, cols, announced),
      bias: (module, length, announced) => this.#bias(module, length, announced),
      vector: (name, length, shape) => this.#vector(name, length, 0, shape),
      norm: (name, size, eps) => this.#norm(name, size, { kind: 'rms', eps }, 0),
      constant: (name, length, value) => this.#kernels.prepareVector(constantVector(name, length, value)),
      shapeOf: name => this.#checkpoint.tensors.get(name)?.shape,
      table: (name, rows, cols) => this.#matrix(name, rows, cols, 'embedding', false),
      column: (name, length) => this.#column(name, length),
      number: name => this.#number(name),
    }
  }

  /** A vector as a matrix whose rows are one number each. */
  async #column(name: string, length: number): Promise<Weight> {
    const stored = this.#checkpoint.vector(name, length)
    const column = await this.#kernels.prepare({ ...stored, rows: length, cols: 1 })
    this.#ready(stored, 'vector', stored.bytes.length)
    return column
  }

  async #number(name: string): Promise<number> {
    const source = this.#checkpoint.vector(name, 1)
    const number = await (this.#kernels.number?.(source) ?? numberIn(source))
    this.#ready(source, 'vector', source.bytes.length, 0)
    return number
  }

  async #mlp(at: string, n: MlpNames, size: number, gated = true): Promise<DenseMlpWeights> {
    const { hiddenSize: D, bias } = this.#config
    if (!gated && n.ungated) return this.#mlp(at, { up: n.ungated, down: n.down }, size)
    return {
      gate: n.gate ? await this.#linear(at + n.gate, size, D, bias.mlp) : null,
      up: await this.#linear(at + n.up, n.joined ? 2 * size : size, D, bias.mlp),
      down: await this.#linear(at + n.down, D, size, bias.mlp),
    }
  }

  async #experts(at: string, moe: MoeConfig): Promise<MoeWeights> {
    const { hiddenSize: D } = this.#config
    const n = this.#names.moe
    if (!n) throw new TypeError('Loader: a layer of experts in a family that names none')
    const { nExperts: E, expertSize: F, sharedSize, idle = 0 } = moe
    const stack = async (name: string, rows: number, cols: number): Promise<ExpertWeights> => {
      const stored = Array.from({ length: E }, (_, e) => {
        const expert = `${at}${n.expert.replace('{expert}', String(e))}${name}`
        if (this.#checkpoint.has(`${expert}.bias`))
          throw this.#unsupported(`${expert}.bias`, 'a bias of single experts')
        return this.#checkpoint.matrix(`${expert}.weight`, rows, cols)
      })
      const sources = stored.map(source => this.#typed(source, 'matrix'))
      const experts = await this.#kernels.prepareExperts(sources)
      for (const [i, source] of sources.entries())
        this.#ready(source, 'matrix', (stored[i] as WeightSource).bytes.length)
      return experts
    }
    return {
      router: await this.#linear(at + n.router, E + idle, D, moe.biased, 'router'),
      selectionBias:
        moe.selectionBias || (n.biasAtWill && this.#checkpoint.has(at + n.selectionBias))
          ? await this.#vector(at + n.selectionBias, E + idle)
          : null,
      gate: await stack(n.mlp.gate as string, F, D),
      up: await stack(n.mlp.up, F, D),
      down: await stack(n.mlp.down, D, F),
      biases: moe.biased && n.biases ? await this.#expertBiases(at, n.biases, moe) : null,
      shared: sharedSize > 0 ? await this.#mlp(at + n.shared, n.sharedMlp ?? n.mlp, sharedSize) : null,
      ...(moe.ofStream && n.ofStream && { ofStream: await loadOfStream(this.#parts, at, this.#config, n.ofStream, E) }),
      sharedGate: sharedSize > 0 && n.sharedGate ? await this.#linear(at + n.sharedGate, 1, D, false, 'router') : null,
    }
  }

  async #expertBiases(
    at: string,
    { gate, up, down }: NonNullable<ExpertNames['biases']>,
    { nExperts: E, expertSize: F }: MoeConfig,
  ): Promise<NonNullable<MoeWeights['biases']>> {
    const of = (name: string, length: number) => this.#matrix(at + name, E, length, 'router', false)
    return { gate: await of(gate, F), up: await of(up, F), down: await of(down, this.#config.hiddenSize) }
  }

  /** With the bias that the files have. `announced`: config.json says that there is one. */
  async #linear(
    name: string,
    rows: number,
    cols: number,
    announced = false,
    role: WeightRole = 'matrix',
    headDim?: number,
  ): Promise<Linear> {
    return {
      weight: await this.#matrix(`${name}.weight`, rows, cols, role),
      bias: await this.#bias(name, rows, announced),
      ...(await this.#adapter(name, rows, cols, headDim)),
    }
  }

  async #adapter(module: string, rows: number, cols: number, headDim?: number): Promise<Pick<Linear, 'adapter'>> {
    const adapter = await this.#adapters?.of(module, rows, cols, headDim)
    return adapter ? { adapter } : {}
  }

  /** What a GGUF file does not have it does not mean to have: no config.json stands beside it. */
  async #bias(module: string, length: number, announced = false): Promise<Tensor | null> {
    const name = `${module}.bias`
    const expected = announced && !this.#checkpoint.canonical
    if (!expected && !this.#checkpoint.has(name)) return null
    if (!announced && !this.#checkpoint.canonical) this.unannounced.add(name)
    return this.#vector(name, length)
  }

  #optionalVector(name: string, length: number): WeightSource | undefined {
    return this.#checkpoint.has(name) ? this.#checkpoint.vector(name, length) : undefined
  }

  #unsupported(tensor: string, what: string): UnsupportedModelError {
    return new UnsupportedModelError(
      `${this.#checkpoint.name}: tensor ${quote(tensor)} is ${what}; it is not supported`,
    )
  }

  async #norm(
    name: string,
    size: number,
    settings: Pick<Norm, 'kind' | 'eps'> = this.#config.norm,
    offset = this.#names.normOffset,
  ): Promise<Norm> {
    const { kind, eps } = settings
    return {
      kind,
      eps,
      weight: await this.#vector(this.#spelt(name, 'weight', 'gamma'), size, offset),
      bias: kind === 'layer' ? await this.#vector(this.#spelt(name, 'bias', 'beta'), size) : null,
    }
  }

  /** A norm of the stream in front of attention or experts, which has a gate in families that gate norms. */
  async #streamNorm(name: string): Promise<Norm> {
    const { gatedNormRank: rank, hiddenSize: D } = this.#config
    const gated = this.#names.gatedNorm
    if (!rank || !gated) return this.#norm(name, D)
    return {
      ...(await this.#norm(`${name}.${gated.norm}`, D)),
      gate: {
        down: await this.#linear(`${name}.${gated.down}`, rank, D),
        up: await this.#linear(`${name}.${gated.up}`, D, rank),
      },
    }
  }

  /** The first BERTs were converted from TensorFlow, which has other words. */
  #spelt(module: string, usual: string, other: string): string {
    const [name, found] = [`${module}.${usual}`, `${module}.${other}`]
    return this.#names.encoder && !this.#checkpoint.has(name) && this.#checkpoint.has(found) ? found : name
  }

  async #matrix(
    name: string,
    rows: number,
    cols: number,
    role: WeightRole = 'matrix',
    transposed = this.#names.transposed ?? false,
  ): Promise<Weight> {
    const stored = this.#checkpoint.matrix(name, rows, cols, { transposed })
    return this.#prepareMatrix(stored, role, stored.bytes.length)
  }

  async #prepareMatrix(stored: WeightSource, role: WeightRole, storedBytes: number): Promise<Weight> {
    const source = this.#typed(stored, role)
    const weight = await this.#kernels.prepare(source)
    this.#ready(source, role, storedBytes)
    return weight
  }

  #typed(source: WeightSource, role: WeightRole): WeightSource {
    return this.#weights ? recoded(source, weightTypeFor(this.#weights, role, source.cols)) : source
  }

  /** `shape`: as files have it, where it is more than a row of numbers. */
  async #vector(name: string, length: number, add?: number, shape?: readonly number[]): Promise<Tensor> {
    const source = this.#checkpoint.vector(name, length, shape)
    return this.#prepared(source, source.bytes.length, add)
  }

  async #prepared(source: WeightSource, storedBytes: number, add?: number): Promise<Tensor> {
    const vector = await this.#kernels.prepareVector(source, add)
    this.#ready(source, 'vector', storedBytes)
    return vector
  }
}

async function numberIn(source: WeightSource): Promise<number> {
  return (await readRows(source, 0, 1))[0] as number
}
