/** Tensors by name and shape, as the kernels prepare them: what all parts of a model are loaded by. */
import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import { quote } from '../../checkpoint/quote.ts'
import { recoded } from '../../checkpoint/recode/recoded.ts'
import { readRows } from '../../checkpoint/recode/weight-rows.ts'
import { type WeightRole, weightTypeFor } from '../../checkpoint/recode/weight-type.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { TensorNames } from '../../families/family.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import type { Weight, WeightSource } from '../../kernels/contract/weights.ts'
import type { ModelConfig } from '../../nn/config.ts'
import type { Linear, LowRank, Norm } from '../../nn/layers.ts'
import type { EncodableType } from '../../quant/numbers.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { constantVector } from './constant-vector.ts'

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

/** Asks the checkpoint for tensors, and the kernels to prepare them. */
export class Loader {
  readonly checkpoint: Checkpoint
  readonly kernels: WeightKernels
  readonly config: ModelConfig
  readonly names: TensorNames
  /** Of the model's tensors in the checkpoint. */
  readonly prefix: string
  readonly ready: Ready
  readonly #options: LoaderOptions
  /** Biases that were met although config.json does not speak of them. */
  readonly unannounced: Set<string>

  constructor(
    checkpoint: Checkpoint,
    kernels: WeightKernels,
    config: ModelConfig,
    names: TensorNames,
    ready: Ready,
    options: LoaderOptions = {},
    unannounced = new Set<string>(),
  ) {
    this.checkpoint = checkpoint
    this.kernels = kernels
    this.config = config
    this.names = checkpoint.canonical ? canonicalNames(names) : names
    this.ready = ready
    this.#options = options
    this.unannounced = unannounced
    const first = `${this.embedding}.weight`
    this.prefix = names.prefixes.find(p => checkpoint.has(p + first)) ?? (names.prefixes[0] as string)
  }

  /** The module of the embedding, without the prefix. */
  get embedding(): string {
    const { embedding, ownEmbedding } = this.names
    return this.config.source && !this.config.source.sharedEmbedding && ownEmbedding ? ownEmbedding : embedding
  }

  /** What the modules of layer `index` begin with. */
  layerName(index: number): string {
    return this.prefix + this.names.layer.replace('{layer}', String(index))
  }

  /** Of the same checkpoint, for what is called otherwise in it. */
  beside(config: ModelConfig, names: TensorNames): Loader {
    return new Loader(this.checkpoint, this.kernels, config, names, this.ready, this.#options, this.unannounced)
  }

  /** With the bias that the files have. `announced`: config.json says that there is one. */
  async linear(
    name: string,
    rows: number,
    cols: number,
    announced = false,
    role: WeightRole = 'matrix',
    headDim?: number,
  ): Promise<Linear> {
    return {
      weight: await this.matrix(`${name}.weight`, rows, cols, role),
      bias: await this.bias(name, rows, announced),
      ...(await this.adapter(name, rows, cols, headDim)),
    }
  }

  async adapter(module: string, rows: number, cols: number, headDim?: number): Promise<Pick<Linear, 'adapter'>> {
    const adapter = await this.#options.adapters?.of(module, rows, cols, headDim)
    return adapter ? { adapter } : {}
  }

  async matrix(
    name: string,
    rows: number,
    cols: number,
    role: WeightRole = 'matrix',
    transposed = this.names.transposed ?? false,
  ): Promise<Weight> {
    const stored = this.checkpoint.matrix(name, rows, cols, { transposed })
    return this.prepareMatrix(stored, role, stored.bytes.length)
  }

  async prepareMatrix(stored: WeightSource, role: WeightRole, storedBytes: number): Promise<Weight> {
    const source = this.typed(stored, role)
    const weight = await this.kernels.prepare(source)
    this.ready(source, role, storedBytes)
    return weight
  }

  /** In the type that was asked for. */
  typed(source: WeightSource, role: WeightRole): WeightSource {
    const { weights } = this.#options
    return weights ? recoded(source, weightTypeFor(weights, role, source.cols)) : source
  }

  /** What a GGUF file does not have it does not mean to have: no config.json stands beside it. */
  async bias(module: string, length: number, announced = false): Promise<Tensor | null> {
    const name = `${module}.bias`
    const expected = announced && !this.checkpoint.canonical
    if (!expected && !this.checkpoint.has(name)) return null
    if (!announced && !this.checkpoint.canonical) this.unannounced.add(name)
    return this.vector(name, length)
  }

  /** A bias that is stored as a matrix of one row. */
  async rowBias(name: string, length: number): Promise<Tensor | null> {
    if (!this.checkpoint.has(name)) return null
    const source = this.checkpoint.matrix(name, 1, length)
    return this.prepared(source, source.bytes.length)
  }

  /** `shape`: as files have it, where it is more than a row of numbers. */
  async vector(name: string, length: number, add?: number, shape?: readonly number[]): Promise<Tensor> {
    const source = this.checkpoint.vector(name, length, shape)
    return this.prepared(source, source.bytes.length, add)
  }

  /** undefined: the checkpoint has none. */
  optionalVector(name: string, length: number): WeightSource | undefined {
    return this.checkpoint.has(name) ? this.checkpoint.vector(name, length) : undefined
  }

  /** A vector as a matrix whose rows are one number each. */
  async column(name: string, length: number): Promise<Weight> {
    const stored = this.checkpoint.vector(name, length)
    const column = await this.kernels.prepare({ ...stored, rows: length, cols: 1 })
    this.ready(stored, 'vector', stored.bytes.length)
    return column
  }

  /** The number that a vector of one has. */
  async number(name: string): Promise<number> {
    const source = this.checkpoint.vector(name, 1)
    const number = await (this.kernels.number?.(source) ?? numberIn(source))
    this.ready(source, 'vector', source.bytes.length, 0)
    return number
  }

  async prepared(source: WeightSource, storedBytes: number, add?: number): Promise<Tensor> {
    const vector = await this.kernels.prepareVector(source, add)
    this.ready(source, 'vector', storedBytes)
    return vector
  }

  async norm(
    name: string,
    size: number,
    settings: Pick<Norm, 'kind' | 'eps'> = this.config.norm,
    offset = this.names.normOffset,
  ): Promise<Norm> {
    const { kind, eps } = settings
    return {
      kind,
      eps,
      weight: await this.vector(this.#spelt(name, 'weight', 'gamma'), size, offset),
      bias: kind === 'layer' ? await this.vector(this.#spelt(name, 'bias', 'beta'), size) : null,
    }
  }

  /** A norm whose weights no file has. */
  async ones(name: string, size: number, eps: number): Promise<Norm> {
    return { kind: 'rms', eps, weight: await this.constant(name, size, 1), bias: null }
  }

  /** A norm of the stream in front of attention or experts, which has a gate in families that gate norms. */
  async streamNorm(name: string): Promise<Norm> {
    const { gatedNormRank: rank, hiddenSize: D } = this.config
    const gated = this.names.gatedNorm
    if (!rank || !gated) return this.norm(name, D)
    return {
      ...(await this.norm(`${name}.${gated.norm}`, D)),
      gate: {
        down: await this.linear(`${name}.${gated.down}`, rank, D),
        up: await this.linear(`${name}.${gated.up}`, D, rank),
      },
    }
  }

  /** The first BERTs were converted from TensorFlow, which has other words. */
  #spelt(module: string, usual: string, other: string): string {
    const [name, found] = [`${module}.${usual}`, `${module}.${other}`]
    return this.names.encoder && !this.checkpoint.has(name) && this.checkpoint.has(found) ? found : name
  }

  /** With the model's prefix if the checkpoint has it so. */
  either(module: string): string {
    const prefixed = this.prefix + module
    return this.checkpoint.has(`${prefixed}.weight`) ? prefixed : module
  }

  unsupported(tensor: string, what: string): UnsupportedModelError {
    return new UnsupportedModelError(`${this.checkpoint.name}: tensor ${quote(tensor)} is ${what}; it is not supported`)
  }

  /** A norm by the root mean square, whose weights are as stored. */
  rmsNorm(name: string, size: number, eps: number): Promise<Norm> {
    return this.norm(name, size, { kind: 'rms', eps }, 0)
  }

  /** Weights that no file has. */
  constant(name: string, length: number, value: number): Promise<Tensor> {
    return this.kernels.prepareVector(constantVector(name, length, value))
  }
}

/** Files without the peculiarities of the hub's families have modules of multi-token prediction as layers. */
function canonicalNames({ prediction: _, ...names }: TensorNames): TensorNames {
  return { ...names, transposed: false, normOffset: 0 }
}

async function numberIn(source: WeightSource): Promise<number> {
  return (await readRows(source, 0, 1))[0] as number
}
