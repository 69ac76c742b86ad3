import { CheckpointError, UnsupportedModelError } from '../errors.ts'
import type { WeightSource } from '../kernels/contract/weights.ts'
import type { ByteRange } from '../tensor/bytes.ts'
import { isBlockType } from '../tensor/dtype.ts'
import { SCALE_SUFFIXES, SCALE_TYPES, scaleBlocks, scaleBytes } from './block-scales.ts'
import { ConfigReader } from './config-reader.ts'
import type { EmbeddingFacts } from './embedding-facts.ts'
import type { JsonObject } from './json-file.ts'
import { quote } from './quote.ts'
import { type TensorEntry, weightTypeOf } from './tensor-entry.ts'

/** The contents of a checkpoint's files, unchecked by any model. JSON objects are as in the files. */
export interface CheckpointContents {
  /** The folder's path, or a name: for messages. */
  readonly name: string
  /** Path or name of config.json: for messages. */
  readonly configFile: string
  readonly config: JsonObject
  readonly generationConfig?: JsonObject
  /** tokenizer.json. */
  readonly tokenizer?: JsonObject
  readonly tokenizerConfig?: JsonObject
  /** chat_template.jinja, or the text in chat_template.json. Templates in tokenizer_config.json stay there. */
  readonly chatTemplate?: string
  /** What the files say of embeddings. Default: nothing. */
  readonly embedding?: EmbeddingFacts
  readonly tensors: ReadonlyMap<string, TensorEntry>
  /** Tensors that the index names but no file contains: tensor name to the file that should contain it. Default: none. */
  readonly absent?: ReadonlyMap<string, string>
  /**
   * The tensors have none of the peculiarities of the hub's families: every matrix is [outputs, inputs], every norm's
   * weight complete (nothing to add). True for GGUF files. Default false.
   */
  readonly canonical?: boolean
  /** One sentence each: oddities that do no harm, such as shards that the index does not name. */
  readonly warnings: readonly string[]
}

/** Rows and columns that share an FP8 scale if config.json does not tell. */
const DEFAULT_SCALE_BLOCK = [128, 128] as const

/**
 * A model's files, opened and checked. A family requests each tensor with the shape it expects and gets a source for the
 * kernels; `unused` lists the tensors that were never requested. Holds no resources.
 */
export class Checkpoint implements CheckpointContents {
  readonly name: string
  readonly configFile: string
  readonly config: JsonObject
  readonly generationConfig?: JsonObject
  readonly tokenizer?: JsonObject
  readonly tokenizerConfig?: JsonObject
  readonly chatTemplate?: string
  readonly embedding?: EmbeddingFacts
  readonly tensors: ReadonlyMap<string, TensorEntry>
  readonly absent: ReadonlyMap<string, string>
  readonly canonical: boolean
  readonly warnings: readonly string[]
  readonly #requested = new Set<string>()

  constructor(contents: CheckpointContents) {
    this.name = contents.name
    this.configFile = contents.configFile
    this.config = contents.config
    if (contents.generationConfig) this.generationConfig = contents.generationConfig
    if (contents.tokenizer) this.tokenizer = contents.tokenizer
    if (contents.tokenizerConfig) this.tokenizerConfig = contents.tokenizerConfig
    if (contents.chatTemplate !== undefined) this.chatTemplate = contents.chatTemplate
    if (contents.embedding) this.embedding = contents.embedding
    this.tensors = contents.tensors
    this.absent = contents.absent ?? new Map()
    this.canonical = contents.canonical ?? false
    this.warnings = contents.warnings
  }

  /** A fresh reader over config.json. */
  get configReader(): ConfigReader {
    return new ConfigReader(this.config, this.configFile)
  }

  /** Whether the tensor exists; does not count as a request. */
  has(name: string): boolean {
    return this.tensors.has(name)
  }

  /**
   * A matrix [rows, cols] in f32, f16, bf16, e4m3 with its scales, or a quantised block type. `transposed`: the file
   * stores it as [cols, rows]. Throws CheckpointError if it is missing or has another shape or type.
   */
  matrix(name: string, rows: number, cols: number, options: { readonly transposed?: boolean } = {}): WeightSource {
    const { transposed = false } = options
    const entry = this.#take(name, transposed ? [cols, rows] : [rows, cols])
    const dtype = weightTypeOf(entry.dtype)
    if (dtype === undefined) throw this.#wrong(entry, `is ${entry.dtype}; expected ${this.#matrixTypes}`)
    const weight = { name, dtype, rows, cols, bytes: entry.bytes }
    if (dtype === 'e4m3') {
      if (transposed) throw this.#wrong(entry, 'is F8_E4M3 and stored [inputs, outputs]; expected F32, F16 or BF16')
      return { ...weight, scales: this.#blockScales(entry, rows, cols) }
    }
    return transposed ? { ...weight, transposed } : weight
  }

  /** A vector (norm weight, bias) of `length` numbers in f32, f16 or bf16, as one row. `shape`: as the files have it. Default: [length]. */
  vector(name: string, length: number, shape: readonly number[] = [length]): WeightSource {
    const entry = this.#take(name, shape)
    const dtype = weightTypeOf(entry.dtype)
    if (dtype === undefined || dtype === 'e4m3' || isBlockType(dtype)) {
      throw this.#wrong(entry, `is ${entry.dtype}; expected F32, F16 or BF16`)
    }
    return { name, dtype, rows: 1, cols: length, bytes: entry.bytes }
  }

  /** Tensors that were never requested and whose names match none of the patterns, in the order of the files. */
  unused(ignorable: readonly RegExp[] = []): string[] {
    return [...this.tensors.keys()].filter(name => !this.#requested.has(name) && !ignorable.some(p => p.test(name)))
  }

  get #matrixTypes(): string {
    return this.canonical ? 'F32, F16, BF16 or a block type' : 'F32, F16, BF16 or F8_E4M3'
  }

  #blockScales(entry: TensorEntry, rows: number, cols: number): NonNullable<WeightSource['scales']> {
    const quantization = this.configReader.optionalObject('quantization_config')
    const block =
      quantization?.optionalInts('weight_block_size', { length: 2, min: 1, max: 1 << 20 }) ?? DEFAULT_SCALE_BLOCK
    const grid = block as readonly [number, number]
    const name = SCALE_SUFFIXES.map(suffix => entry.name + suffix).find(scales => this.has(scales))
    if (!entry.name.endsWith('.weight') || name === undefined) {
      const met = `is F8_E4M3, but neither ${quote(`${entry.name}_scale_inv`)} nor ${quote(`${entry.name}_scale`)}`
      throw this.#wrong(entry, `${met} with its factors is in the checkpoint`)
    }
    this.#requested.add(name)
    const scales = this.tensors.get(name) as TensorEntry
    const blocks = scaleBlocks(scales.shape, [rows, cols], grid)
    if (blocks === undefined) {
      const expected = `[${Math.ceil(rows / grid[0])}, ${Math.ceil(cols / grid[1])}], a factor for each block of ${grid.join(' x ')}`
      const met = `has shape [${scales.shape.join(', ')}]; expected ${expected}`
      throw this.#wrong(scales, `${met}, or one for each row ([${rows}, 1]), or one for all`)
    }
    if (!(SCALE_TYPES as readonly string[]).includes(scales.dtype)) {
      throw this.#wrong(scales, `is ${scales.dtype}; expected factors of ${SCALE_TYPES.join(', ')}`)
    }
    return { bytes: scaleBytes(scales), ...blocks }
  }

  #take(name: string, shape: readonly number[]): TensorEntry {
    this.#requested.add(name)
    const entry = this.tensors.get(name)
    const expected = `[${shape.join(', ')}]`
    if (entry === undefined) {
      this.#refuseForeignQuantization()
      const shard = this.absent.get(name)
      if (shard !== undefined) {
        const met = `tensor ${quote(name)}, which the index places in ${quote(shard)}, is not there`
        throw new CheckpointError(`${this.name}: ${met}; download ${quote(shard)} again`)
      }
      const count = `${this.tensors.size} tensors are there`
      throw new CheckpointError(`${this.name}: tensor ${quote(name)} ${expected} is missing; ${count}`)
    }
    const same = entry.shape.length === shape.length && entry.shape.every((d, i) => d === shape[i])
    if (!same) throw this.#wrong(entry, `has shape [${entry.shape.join(', ')}]; expected ${expected}`)
    return entry
  }

  #wrong(entry: TensorEntry, message: string): CheckpointError {
    this.#refuseForeignQuantization()
    return new CheckpointError(`${fileOf(entry.bytes)}: tensor ${quote(entry.name)} ${message}`)
  }

  /** GPTQ, AWQ and the like store tensors under other names: report the method instead of the first missing tensor. */
  #refuseForeignQuantization(): void {
    const how = this.#foreignQuantization()
    if (how === undefined) return
    throw new UnsupportedModelError(
      `${this.name} is quantised ${how}; latentkit reads f32, f16, bf16, block-scaled fp8 and gpt-oss's mxfp4. ` +
        'Use the unquantised checkpoint or a GGUF file of it.',
    )
  }

  #foreignQuantization(): string | undefined {
    const method = objectIn(this.config, 'quantization_config')?.quant_method
    if (typeof method === 'string')
      return method === 'fp8' || method === 'mxfp4' ? undefined : `with ${quote(method, 60)}`
    // mlx-lm's key names no method.
    const mlx = objectIn(this.config, 'quantization')
    if (mlx === undefined || !Object.hasOwn(mlx, 'bits')) return packedTensors(this.tensors)
    const groups = mlx.group_size === undefined ? '' : `, groups of ${String(mlx.group_size)}`
    return `by MLX (quantization: ${String(mlx.bits)} bits${groups})`
  }
}

/** Names a method by its tensors, for checkpoints whose config.json does not name it. */
function packedTensors(tensors: ReadonlyMap<string, TensorEntry>): string | undefined {
  const met = [...tensors.keys()].find(name =>
    /\.(qweight|qzeros|weight_packed|weight\.(absmax|quant_state\..+))$/.test(name),
  )
  if (met !== undefined) return `(tensor ${quote(met)}, as GPTQ, AWQ or bitsandbytes write)`
  const mlx = [...tensors.values()].find(
    ({ name, dtype }) => dtype === 'U32' && name.endsWith('.weight') && tensors.has(name.replace(/weight$/, 'scales')),
  )
  return mlx && `by MLX (tensor ${quote(mlx.name)} is ${mlx.dtype} and has scales)`
}

function objectIn(json: JsonObject, key: string): JsonObject | undefined {
  const value = Object.hasOwn(json, key) ? json[key] : undefined
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
}

function fileOf({ source }: ByteRange): string {
  return source.path ?? source.name
}
