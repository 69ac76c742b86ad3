/**
 * The contract between a model and the machine; what every operation means stands at its row in the table (`operations/`).
 * The other folders are implementations, and `test/conformance` holds all of them to `reference`, which is the definition in code.
 *
 * Letters: B sequences, T query tokens of a step (all sequences together), S key tokens, H query heads, G key heads,
 * D hidden, C latent, R rope, N nope, V value, E experts, K chosen experts.
 *
 * **Ordering.** Operations take effect in the order in which they are recorded, no later than the next `submit()`.
 * A kernel set may run them at once or keep them; nobody may rely on either. `upload` and `read` act on memory
 * directly: never upload into a buffer that recorded, not yet submitted operations use.
 *
 * **Ownership.** Tensors made by `alloc` live until `free` or `dispose`. Operations never allocate, never keep a
 * handle and write only their first argument (`y`, plus what is named as an output). Outputs may hold anything
 * before; every element of the shape is written. Inputs and outputs do not overlap, unless an operation says that
 * `y` may be `x`.
 *
 * **Strides.** Every tensor's last axis has stride 1. Where an argument says *strided*, its other axes may have any
 * stride (a head's slice of a fused projection, stride 0 for a shared row); all others are contiguous.
 *
 * **Emptiness.** T = 0 is allowed everywhere and does nothing (an empty `groupByExpert` still writes its offsets). A
 * query that sees no key gets zeros and lse -inf; a score of -inf is a key that is not seen. Whatever is not seen is
 * not touched: masked rows and rows past a sequence's keys may hold NaN.
 *
 * **Devices.** What an operation reads is f32, shorter floats, 32-bit integers or bytes, and memory is named by tensors and
 * by ids of blocks: no f64, no address. So a device without either can be a kernel set.
 *
 * **Arithmetic.** Activations are f32; implementations accumulate in f32 or better. How a row of a result is summed
 * depends on that row's own inputs, never on the number of rows, their order or the number of threads: the same row
 * gives the same bits alone and in a batch. NaN and infinity travel as IEEE 754 says.
 *
 * **Failure.** Wrong shapes are bugs of the caller: an implementation checks what is cheap and throws a RangeError
 * that names the operation. Numbers read from buffers (token ids, positions, block tables) are trusted.
 */

import type { Operations } from '../operations/table.ts'
import type { KernelMemory } from './memory.ts'
import type { KernelWeights } from './weights.ts'

/** All kernel sets. */
export const KERNEL_SETS = ['native', 'wasm', 'reference'] as const
/** A kernel set by name: the C++ core as machine code or as WebAssembly, or plain TypeScript. */
export type KernelSet = (typeof KERNEL_SETS)[number]

export interface KernelInfo {
  readonly name: KernelSet
  /** Instruction set in use, e.g. `amx`, `avx512`, `avx2`, `portable`, `simd128`. */
  readonly isa: string
  readonly threads: number
  /** What decides bits of what a model computes: kernel kind and instruction-set class, never the thread count. For training `isa` does, too. */
  readonly numerics: string
}

/** Operations that have been run. */
export interface Recording {
  /**
   * Runs them once more, on what their buffers hold now: a step of the same shape need not be recorded again.
   * Nothing may have been recorded since the last `submit`.
   */
  run(): Promise<void>
}

export interface Kernels extends KernelWeights, Operations {
  readonly info: KernelInfo
  readonly memory: KernelMemory

  /**
   * Runs what was recorded. Throws `failure`. `pause` is awaited between operations whenever some work has been done, where the kernel
   * set can; what it throws ends the submit, and the operations that are left are dropped. Nothing can be recorded of such a submit
   * (`recording`).
   */
  submit(pause?: () => Promise<void>): Promise<void>
  /**
   * Why this kernel set can compute nothing any more; absent or null while it can. Set when a file of weights that it reads
   * in place has been cut or overwritten: what was computed since is wrong, and every `submit` throws this error.
   */
  readonly failure?: Error | null
  /** The operations that the last `submit` ran. Absent where operations run as they are recorded. */
  recording?(): Recording
  dispose(): void
}
