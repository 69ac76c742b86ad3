import type { KernelMemory } from '../kernels/contract/memory.ts'
import type { Operations } from '../kernels/operations/table.ts'
import type { Scratch } from '../nn/scratch.ts'
import { byteLength, elementCount, type Tensor, tensorAt, view } from '../tensor/tensor.ts'

const ALIGN = 64
const FIRST_PIECE = 1 << 20

/** One activation: where it lies, and its gradient while it has one. */
export interface Activation {
  readonly address: number
  /** Numbers of 32 bits. */
  readonly length: number
  gradient: Tensor | null
}

/** Memory from which activations are taken one after the other. */
interface Piece {
  readonly memory: Tensor
  used: number
  /** By rising address. */
  readonly activations: Activation[]
}

/**
 * The memory of a training step: activations, which stay until `reset` or to the end of `forgetting`, each written once, and their gradients. A gradient
 * is as large as its activation; a view of the one has the same view of the other. It is there from when it is first asked for, as zeros,
 * until `dropGradient`. Memory is kept from step to step and freed with the kernel set.
 */
export class TrainingScratch implements Scratch {
  readonly #memory: KernelMemory
  readonly #ops: Pick<Operations, 'fill'>
  readonly #pieces: Piece[] = []
  #current = 0
  /** Addresses of memory of gradients that nobody uses, by `sizeFor`. */
  readonly #free = new Map<number, number[]>()

  constructor(memory: KernelMemory, ops: Pick<Operations, 'fill'>) {
    this.#memory = memory
    this.#ops = ops
  }

  take(shape: readonly number[], dtype: 'f32' | 'i32' = 'f32'): Tensor {
    const bytes = Math.max(ALIGN, Math.ceil(byteLength(dtype, shape) / ALIGN) * ALIGN)
    const piece = this.#pieceFor(bytes)
    const address = piece.memory.address + piece.used
    piece.used += bytes
    piece.activations.push({ address, length: bytes / 4, gradient: null })
    return tensorAt(address, dtype, shape)
  }

  replacing(x: Tensor): Tensor {
    return this.take(x.shape)
  }

  mark(): number {
    return 0
  }

  release(): void {}

  /** The activation that a tensor is, or is a part of. */
  activation({ address }: Tensor): Activation {
    const piece = this.#pieces.find(({ memory, used }) => address >= memory.address && address < memory.address + used)
    if (!piece) throw new RangeError(`TrainingScratch: no activation at address ${address}`)
    const { activations } = piece
    let [low, high] = [0, activations.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((activations[middle] as Activation).address <= address) low = middle
      else high = middle
    }
    return activations[low] as Activation
  }

  /** The gradient of an activation, or of a part of it: f32 of the same shape and strides, to be added to. */
  gradient(t: Tensor): Tensor {
    const activation = this.activation(t)
    activation.gradient ??= this.#zeros(activation.length)
    return view(activation.gradient, (t.address - activation.address) / 4, t.shape, t.strides)
  }

  /**
   * The gradient of an activation that has none yet, uninitialised, to be written as a whole; null: it has one, or t is only a part of an
   * activation.
   */
  freshGradient(t: Tensor): Tensor | null {
    const activation = this.activation(t)
    const numbers = Math.ceil((elementCount(t.shape) * 4) / ALIGN) * (ALIGN / 4)
    if (activation.gradient || t.address !== activation.address || numbers !== activation.length) return null
    activation.gradient = this.borrow(activation.length)
    return this.gradient(t)
  }

  /** Gives back an activation's gradient, which nobody asks for again in this step. */
  dropGradient(activation: Activation): void {
    if (activation.gradient) this.giveBack(activation.gradient)
    activation.gradient = null
  }

  /** Memory for the numbers of one backward rule, uninitialised; `giveBack` it. */
  borrow(length: number): Tensor {
    const size = sizeFor(length)
    const address = this.#free.get(size)?.pop() ?? this.#memory.alloc('f32', [size]).address
    return tensorAt(address, 'f32', [length])
  }

  giveBack({ address, shape }: Tensor): void {
    const size = sizeFor(shape[0] as number)
    const free = this.#free.get(size)
    if (free) free.push(address)
    else this.#free.set(size, [address])
  }

  /** Runs `run` and forgets the activations that it has taken: what is recorded later may overwrite them. */
  forgetting(run: () => void): void {
    const [current, piece] = [this.#current, this.#pieces[this.#current]]
    const [used, count] = [piece?.used ?? 0, piece?.activations.length ?? 0]
    run()
    this.#forget(current, used, count)
  }

  /** The gradient of one activation becomes that of another of the same size. */
  moveGradient(from: Tensor, to: Tensor): void {
    const [given, taking] = [this.activation(from), this.activation(to)]
    if (taking.gradient || given.length !== taking.length) throw new RangeError('moveGradient: not of the same size')
    taking.gradient = given.gradient
    given.gradient = null
  }

  /** Forgets all activations; nothing recorded may still use them. */
  reset(): void {
    this.#forget(0, 0, 0)
  }

  /** Forgets those behind so many bytes and activations of a piece. */
  #forget(current: number, used: number, count: number): void {
    for (const [i, piece] of this.#pieces.entries()) {
      if (i < current) continue
      const [bytes, first] = i === current ? [used, count] : [0, 0]
      for (const activation of piece.activations.splice(first)) this.dropGradient(activation)
      piece.used = bytes
    }
    this.#current = current
  }

  #zeros(length: number): Tensor {
    const memory = this.borrow(length)
    this.#ops.fill(memory, 0)
    return memory
  }

  #pieceFor(bytes: number): Piece {
    for (; this.#current < this.#pieces.length; this.#current++) {
      const piece = this.#pieces[this.#current] as Piece
      if (piece.used + bytes <= (piece.memory.shape[0] as number)) return piece
    }
    const last = this.#pieces.at(-1)
    const size = Math.max(bytes, last ? 2 * (last.memory.shape[0] as number) : FIRST_PIECE)
    const made: Piece = { memory: this.#memory.alloc('u8', [size]), used: 0, activations: [] }
    this.#pieces.push(made)
    return made
  }
}

/**
 * Four sizes for each doubling. Steps of all numbers of tokens share their memory so; by its exact length, memory would grow with every new
 * number of tokens.
 */
function sizeFor(length: number): number {
  const unit = 2 ** Math.max(0, Math.floor(Math.log2(length)) - 2)
  return Math.ceil(length / unit) * unit
}
