import { DisposedError } from '../errors.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { ExpertWeights, Weight } from '../kernels/contract/weights.ts'
import type { Operations } from '../kernels/operations/table.ts'
import { Arena } from '../nn/arena.ts'
import type { Scratch } from '../nn/scratch.ts'
import { whole } from '../options/kinds.ts'
import { readArgument } from '../options/read-options.ts'
import { fillNormals } from '../sampling/normals.ts'
import { checkSeed, Rng } from '../sampling/rng.ts'
import { elementCount, isContiguous, reshape, type Tensor } from '../tensor/tensor.ts'
import { expectNumbers } from './shapes.ts'

/** Memory that keeps every tensor until all are cleared: what is uploaded never meets an operation that has yet to run. */
interface ClearedScratch extends Scratch {
  /** Gives back all tensors. */
  reset(): void
}

/** What a workbench computes with. */
interface Parts {
  /** Its memory and its weights. */
  readonly kernels: Kernels
  /** What the operations are recorded by. Default: the kernels. */
  readonly ops?: Operations
  /** Default: an arena. */
  readonly scratch?: ClearedScratch
}

/**
 * Where attention is computed by hand: tensors, and the kernels of the engine that compute on them. Functions record operations and return
 * at once; `read` runs what was recorded. Tensors live until `clear`, layers and caches until `close`. Not for several threads.
 */
export class Workbench {
  readonly #kernels: Kernels
  readonly #ops: Operations
  readonly #scratch: ClearedScratch
  #closed = false

  /** @internal Use `openWorkbench`. */
  constructor({ kernels, ops = kernels, scratch = clearedArena(kernels) }: Parts) {
    this.#kernels = kernels
    this.#ops = ops
    this.#scratch = scratch
  }

  /** @internal */
  get kernels(): Kernels {
    return this.#live(this.#kernels)
  }

  /** @internal */
  get ops(): Operations {
    return this.#live(this.#ops)
  }

  /** @internal */
  get scratch(): Scratch {
    return this.#live(this.#scratch)
  }

  /** @internal Whether what is computed has gradients: then MLA is computed expanded. */
  get learns(): boolean {
    return false
  }

  /** The kernels in use, such as `native (avx2)`. */
  get name(): string {
    const { name, isa } = this.kernels.info
    return `${name} (${isa})`
  }

  /** A tensor of these numbers, row by row, f32. Default shape: one axis. Throws OptionError unless their number is that of the shape. */
  tensor(numbers: ArrayLike<number>, shape: readonly number[] = [numbers.length]): Tensor {
    const uploaded = expectNumbers('The tensor', numbers, checkShape(shape))
    const made = this.scratch.take(shape)
    if (uploaded.length > 0) this.kernels.memory.upload(made, uploaded)
    return made
  }

  /** A tensor of whole numbers, such as positions, i32. */
  integers(numbers: ArrayLike<number>): Tensor {
    const made = this.scratch.take([numbers.length], 'i32')
    if (numbers.length > 0) this.kernels.memory.upload(made, Int32Array.from(numbers))
    return made
  }

  /** A tensor drawn from a normal distribution. The same seed gives the same numbers everywhere. */
  random(shape: readonly number[], seed: number, deviation = 1): Tensor {
    const rng = Rng.seeded(checkSeed(seed))
    return this.tensor(fillNormals(new Float32Array(elementCount(checkShape(shape))), rng, deviation), shape)
  }

  /** Runs what was recorded, and copies a tensor's numbers out, row by row. */
  async read(tensor: Tensor): Promise<Float32Array> {
    const { kernels } = this
    let whole = tensor
    if (!isContiguous(tensor)) {
      whole = this.scratch.take(tensor.shape)
      kernels.copy(whole, tensor)
    }
    await kernels.submit()
    return (await kernels.memory.read(whole)) as Float32Array
  }

  /** Runs what was recorded, and gives back the memory of all tensors but weights and caches. None of them may be used afterwards. */
  async clear(): Promise<void> {
    await this.kernels.submit()
    this.#scratch.reset()
  }

  /** Ends the workbench: its tensors, layers and caches are gone. */
  async close(): Promise<void> {
    if (this.#closed) return
    await this.#kernels.submit()
    this.#closed = true
    this.#kernels.dispose()
  }

  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal A matrix [rows, cols] that lives until `close`. */
  weight(name: string, numbers: Float32Array, rows: number, cols: number): Weight {
    return this.kernels.weightOf(name, this.kept(numbers, [rows, cols]))
  }

  /** @internal Matrices [experts, rows, cols] that live until `close`. */
  experts(name: string, numbers: Float32Array, experts: number, rows: number, cols: number): ExpertWeights {
    return this.kernels.expertsOf(name, this.kept(numbers, [experts, rows, cols]))
  }

  /** @internal A tensor that lives until `close`. */
  kept(numbers: Float32Array, shape: readonly number[]): Tensor {
    return this.fixed(numbers, shape)
  }

  /** @internal The same of numbers that gradients do not move. */
  fixed(numbers: Float32Array, shape: readonly number[]): Tensor {
    const made = this.kernels.memory.alloc('f32', shape)
    this.kernels.memory.upload(made, numbers)
    return made
  }

  /** @internal The same numbers in another shape; copied if they are strided. */
  shaped(tensor: Tensor, shape: readonly number[]): Tensor {
    if (isContiguous(tensor)) return reshape(tensor, shape)
    const copy = this.scratch.take(tensor.shape)
    this.ops.copy(copy, tensor)
    return reshape(copy, shape)
  }

  #live<T>(part: T): T {
    if (this.#closed) throw new DisposedError('workbench')
    return part
  }
}

function clearedArena(kernels: Kernels): ClearedScratch {
  const arena = new Arena(kernels.memory)
  return {
    take: (shape, dtype) => arena.take(shape, dtype),
    replacing: x => arena.take(x.shape),
    mark: () => 0,
    release: () => {},
    reset: () => arena.reset(),
  }
}

function checkShape(shape: readonly number[]): readonly number[] {
  for (const [i, size] of shape.entries()) readArgument(whole(0), `shape[${i}]`, size)
  return shape
}
