import { readRows } from '../checkpoint/recode/weight-rows.ts'
import type { WeightRole } from '../checkpoint/recode/weight-type.ts'
import { OptionError } from '../errors.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { ExpertWeights, Weight, WeightSource } from '../kernels/contract/weights.ts'
import type { Ready, WeightKernels } from '../model/load/loader.ts'
import { elementCount, reshape, rowsOf, type Tensor } from '../tensor/tensor.ts'

/** Numbers that are learned: a matrix, the matrices of a layer's experts, or a vector. */
export interface Parameter {
  /** As the checkpoint stores it; of experts, in their order. */
  readonly sources: readonly WeightSource[]
  /** `vector`: a norm's weight or a bias. */
  readonly role: WeightRole | 'vector'
  /** What the model has more than what is stored (Gemma's norms: 1). */
  readonly added: number
  /** f32 [rows, cols], [E, rows, cols] or [n]. */
  readonly values: Tensor
  /** Of the same shape. */
  readonly gradient: Tensor
}

/** Of experts: the first one's. */
export function nameOf({ sources }: Parameter): string {
  return (sources[0] as WeightSource).name
}

/** Those of a tensor of this shape. Throws RangeError where they are not there. */
export function found(numbers: ReadonlyMap<string, Float32Array>, name: string, { shape }: Tensor): Float32Array {
  const there = numbers.get(name)
  const expected = elementCount(shape)
  if (there?.length === expected) return there
  throw new RangeError(`"${name}" has ${there ? `${there.length} numbers` : 'no numbers'}; expected ${expected}`)
}

/** Numbers uploaded at a time. */
const PIECE = 4 << 20

/**
 * Weights that are learned: what a `Loader` asks for becomes f32 in memory that operations read and an optimiser writes, with a
 * gradient beside it. What is frozen is the same without a gradient.
 */
export class Parameters implements WeightKernels {
  readonly #kernels: Kernels
  readonly #learned: (name: string) => boolean
  readonly #made: { -readonly [K in keyof Parameter]: Parameter[K] }[] = []
  /** Numbers that are learned or could be. */
  #total = 0
  /** By a weight, by experts, or by a vector. */
  readonly #byWeight = new Map<Weight | ExpertWeights | Tensor, Parameter>()

  /** `learned`: whether a tensor is, by its name. Default: all are. Experts of a layer are alike in this. */
  constructor(kernels: Kernels, learned: (name: string) => boolean = () => true) {
    this.#kernels = kernels
    this.#learned = learned
  }

  /** For the `Loader`: what each tensor is for. */
  readonly ready: Ready = (source, role) => {
    const parameter = this.#made.findLast(({ sources }) => sources.some(({ name }) => name === source.name))
    if (parameter) parameter.role = role
  }

  get all(): readonly Parameter[] {
    return this.#made
  }

  /** Numbers that are learned. */
  get count(): number {
    return this.#made.reduce((n, { values }) => n + elementCount(values.shape), 0)
  }

  /** How much is learned of all that could be, 0 to 1. */
  get share(): number {
    return this.count / this.#total
  }

  /** All values by name, for `restore`. */
  async numbers(): Promise<Map<string, Float32Array>> {
    const found = new Map<string, Float32Array>()
    for (const parameter of this.#made) {
      found.set(`values ${nameOf(parameter)}`, (await this.#kernels.memory.read(parameter.values)) as Float32Array)
    }
    return found
  }

  restore(numbers: ReadonlyMap<string, Float32Array>): void {
    for (const parameter of this.#made) {
      const { values } = parameter
      this.#kernels.memory.upload(values, found(numbers, `values ${nameOf(parameter)}`, values))
    }
  }

  /** What is learned of a weight; null: nothing. */
  of(weight: Weight | ExpertWeights | Tensor): Parameter | null {
    return this.#byWeight.get(weight) ?? null
  }

  /** From now on it is not learned. */
  freeze(weight: Weight | ExpertWeights | Tensor): void {
    const parameter = this.of(weight)
    if (!parameter) return
    this.#made.splice(this.#made.indexOf(parameter), 1)
    this.#byWeight.delete(weight)
    this.#total -= elementCount(parameter.values.shape)
    this.#kernels.memory.free(parameter.gradient)
  }

  /** A matrix of these numbers, of a model that no checkpoint describes. `source` names and sizes it. */
  matrixOf(source: WeightSource, numbers: Float32Array): Weight {
    const { name, rows, cols } = source
    const { values, known } = this.#make([source], [rows, cols], 'matrix')
    this.#kernels.memory.upload(values, numbers)
    return known(this.#kernels.weightOf(name, values))
  }

  /** The same of a vector, or of numbers that are used as one. */
  vectorOf(source: WeightSource, numbers: Float32Array, shape: readonly number[]): Tensor {
    const { values, known } = this.#make([source], shape, 'vector')
    this.#kernels.memory.upload(values, numbers)
    return known(values)
  }

  /** The same of the matrices of a layer's experts, one below the other. */
  expertsOf(source: WeightSource, numbers: Float32Array, shape: readonly [number, number, number]): ExpertWeights {
    const { values, known } = this.#make([source], shape, 'matrix')
    this.#kernels.memory.upload(values, numbers)
    return known(this.#kernels.expertsOf(source.name, values))
  }

  async prepare(source: WeightSource): Promise<Weight> {
    const { name, rows, cols } = source
    const { values, known } = this.#make([source], [rows, cols], 'matrix')
    await this.#upload(values, source, 0)
    return known(this.#kernels.weightOf(name, values))
  }

  async prepareExperts(sources: readonly WeightSource[]): Promise<ExpertWeights> {
    const first = sources[0]
    if (!first) throw new RangeError('prepareExperts: no expert')
    const { name, rows, cols } = first
    const { values, known } = this.#make(sources, [sources.length, rows, cols], 'matrix')
    for (const [e, source] of sources.entries()) {
      await this.#upload(reshape(rowsOf(values, e, 1), [rows, cols]), source, 0)
    }
    return known(this.#kernels.expertsOf(name, values))
  }

  async prepareVector(source: WeightSource, add = 0): Promise<Tensor> {
    const length = source.rows * source.cols
    const { values, known } = this.#make([source], [length], 'vector', add)
    await this.#upload(reshape(values, [source.rows, source.cols]), source, add)
    return known(values)
  }

  /** Memory for numbers; `known` notes whose they are. */
  #make(sources: readonly WeightSource[], shape: readonly number[], role: Parameter['role'], added = 0) {
    const { name } = sources[0] as WeightSource
    const isLearned = this.#learned(name)
    // All are asked, not up to the first that differs: each pattern is to be met.
    const other = sources.filter(source => this.#learned(source.name) !== isLearned)[0]
    if (other) {
      const [learned, frozen] = isLearned ? [name, other.name] : [other.name, name]
      throw new OptionError(
        `freeze names ${frozen}, not ${learned}; experts of a layer are frozen together or not at all`,
      )
    }
    const values = this.#kernels.memory.alloc('f32', shape)
    this.#total += elementCount(shape)
    const made = isLearned && { sources, role, added, values, gradient: this.#kernels.memory.alloc('f32', shape) }
    if (made) this.#made.push(made)
    const known = <W extends Weight | ExpertWeights | Tensor>(weight: W): W => {
      if (made) this.#byWeight.set(weight, made)
      return weight
    }
    return { values, known }
  }

  async #upload(to: Tensor, source: WeightSource, add: number): Promise<void> {
    const each = Math.max(1, Math.floor(PIECE / source.cols))
    for (let row = 0; row < source.rows; row += each) {
      const count = Math.min(each, source.rows - row)
      const numbers = await readRows(source, row, count)
      this.#kernels.memory.upload(rowsOf(to, row, count), add === 0 ? numbers : numbers.map(x => x + add))
    }
  }
}
