/**
 * What the host needs of the machine that it runs on: where models are found, which kernels there are, what outlives the
 * process. `host/node/platform.ts` is Node's; nothing else in the engine knows of disks, processes or threads.
 */
import type { BlockPlace } from '../../cache/stored/block-place.ts'
import type { CheckpointFiles } from '../../checkpoint/source/checkpoint-files.ts'
import type { StartMasks } from '../../grammar/thread/protocol.ts'
import type { KernelSet, Kernels } from '../../kernels/contract/kernels.ts'
import type { ProgressEvent } from './options/load.ts'
import type { HostLoadOptions } from './protocol.ts'

export interface Platform {
  readonly kernels: KernelFactories
  /** What a user's name for a model means. Throws CheckpointError, HubError, the signal's reason. */
  findModel(source: string, options: HostLoadOptions, context: LoadContext): Promise<FoundModel>
  /** The files of an adapter: those of its folder, or its GGUF file. Throws CheckpointError, UnsupportedModelError. */
  findAdapter(path: string): Promise<CheckpointFiles>
  /** Whether weights of so many bytes can be held; throws OutOfMemoryError. Default: loading finds out. */
  checkMemory?(bytes: number): Promise<void>
  /** The folder of this name for blocks, which need not exist. Throws an Error that says why there is none. */
  openBlocks(folder: string): Promise<BlockPlace>
  readonly sessions: SealedFiles
  /** Where masks of grammars are computed. */
  readonly masks: MaskPlatform
}

/** A thread for the masks of grammars, and what runs in it. */
export interface MaskPlatform {
  readonly start: StartMasks
  /** prebuilt/grammar.wasm. */
  wasm(): Promise<Uint8Array>
  /** Whether memory may be shared with that thread. Default: where it exists. */
  readonly shared?: boolean
  /** Whether the host's thread may block for a moment: not the main thread of a page. */
  readonly mayBlock: boolean
}

export interface FoundModel {
  /** What people call it: a folder by its last part, a model of the hub as it was asked for. */
  readonly name: string
  readonly files: CheckpointFiles
}

export interface LoadContext {
  report(event: ProgressEvent): void
  /** Hears of what went wrong and does no harm. */
  notice?(text: string): void
  readonly signal: AbortSignal
}

/** Each kernel set is loaded only when it is tried; one that is not there rejects with the reason. */
export type KernelFactories = Readonly<Record<KernelSet, (options: KernelOptions) => Promise<Kernels>>>

/** Options of a kernel set. */
export interface KernelOptions {
  /** Threads that compute. Default: one for each core of the machine. */
  readonly threads?: number
  /** Instruction set. Default: the best that the processor, or WebAssembly here, has. */
  readonly isa?: string
  /** Of weights to come, if known: WebAssembly takes addresses of 64 bits for many. */
  readonly weightBytes?: number
  /** Quantised weights computed as f32, instead of on their blocks with 8-bit activations. The reference always does. */
  readonly exact?: boolean
  /** For training: WebAssembly's kernels have its operations only then, in a module of their own, of plain SIMD. */
  readonly training?: boolean
}

/** Files that say by themselves whether they are whole: a magic of 8 characters, a header in JSON, parts, a checksum. */
export interface SealedFiles {
  /** Puts a file in its place whole or not at all; gives its size in bytes. Throws what the system does. */
  write(path: string, magic: string, header: unknown, parts: AsyncIterable<Uint8Array>): Promise<number>
  /** Throws an Error that says what is wrong with the file; one of the system has a `code`. */
  open(path: string, magic: string): Promise<SealedReader>
}

/** A sealed file, read from its start to its end. Every method throws an Error that says what is wrong with it. */
export interface SealedReader {
  /** Not to be believed before `finish`. */
  readonly header: unknown
  /** Of all parts together. */
  readonly bodyBytes: number
  /** The next part. */
  next(bytes: number): Promise<Uint8Array>
  /** When all parts were read: whether the file is what was written. */
  finish(): Promise<void>
  close(): Promise<void>
}
