/** Messages between the engine's thread and the one that computes masks, and the memory that they share. */
import type { Demand } from '../check.ts'
import type { GrammarSource } from '../matcher.ts'
import type { ReadSchema } from '../schema/grammar.ts'
import type { Vocabulary } from '../vocabulary.ts'

export type ToMasks =
  | {
      readonly type: 'start'
      /** prebuilt/grammar.wasm. */
      readonly wasm: Uint8Array
      readonly vocabulary: Vocabulary
      /** 32-bit words of one mask. */
      readonly words: number
    }
  | { readonly type: 'compile'; readonly call: number; readonly grammar: number; readonly source: GrammarSource }
  | { readonly type: 'release'; readonly grammar: number }
  /** `slot`: where its masks go; undefined: they are sent. `fork`: a text of which this one is a copy. */
  | {
      readonly type: 'open'
      readonly text: number
      readonly grammar: number
      readonly slot: SharedArrayBuffer | undefined
      readonly fork: number | undefined
    }
  | AdvanceMessage
  /** Asks for the message 'done' when the request is done. */
  | { readonly type: 'notify'; readonly text: number; readonly request: number }
  | { readonly type: 'close'; readonly text: number }
  /** Checks a finished answer; needs no start. */
  | { readonly type: 'check'; readonly demand: Demand; readonly text: string }
  /** Reads schemas; needs no start. */
  | { readonly type: 'read'; readonly schemas: readonly SchemaText[] }

export interface AdvanceMessage {
  readonly type: 'advance'
  readonly text: number
  readonly request: number
  readonly drop: number
  readonly ids: readonly number[]
  readonly drafts: readonly number[]
  /** Tokens that the text has left, the next one counted; undefined: no limit is known. */
  readonly left: number | undefined
  /** Where there are no drafts: how many ids that have to come next, or nearly, take their place at most. */
  readonly ahead: number
}

export type FromMasks =
  | { readonly type: 'started' }
  /** The vocabulary or the module cannot be used. */
  | { readonly type: 'refused'; readonly reason: string }
  /** The compilation is being done: what was asked for before it is done. */
  | { readonly type: 'compiling'; readonly call: number }
  | { readonly type: 'compiled'; readonly call: number; readonly error: string | undefined }
  | { readonly type: 'done'; readonly text: number; readonly request: number }
  /** The check or the reading is being done: its thread has been started and has loaded what it needs. */
  | { readonly type: 'began' }
  /** What is wrong with the answer; null: nothing. */
  | { readonly type: 'checked'; readonly problem: string | null }
  /** In the order of the schemas. */
  | { readonly type: 'read'; readonly readings: readonly (ReadSchema | SchemaRefusal)[] }
  /** Where memory is not shared: a slot's content. */
  | { readonly type: 'masks'; readonly text: number; readonly slot: ArrayBuffer }

/** A schema to be read. */
export interface SchemaText {
  readonly json: string
  /** See `schemaGrammar`. */
  readonly alone: boolean
}

/** What a SchemaError says. */
export interface SchemaRefusal {
  readonly message: string
  readonly path: string
  readonly keyword: string
}

export interface MasksPort {
  post(message: ToMasks, transfer?: readonly ArrayBuffer[]): void
  terminate(): void
  /** Milliseconds of a processor that the thread has used; undefined, or missing, where the system does not say. */
  processorTime?(): number | undefined
}

export interface MasksEvents {
  message(message: FromMasks): void
  /** The thread has ended by itself. */
  failed(reason: string): void
}

/** Starts a thread in which `MaskService` runs. */
export type StartMasks = (events: MasksEvents) => MasksPort

/** A slot's header: int32 [REQUEST, ROWS, flags of each row, the draft before each row but the first]; then the rows. */
const REQUEST = 0
const ROWS = 1
const FLAGS = 2
const FAILED = -1
const ACCEPTING = 1
const STOPPED = 2

/**
 * The masks of one text: up to `rows` masks, whose number and request are in a header. Written by one thread, read by the
 * other once the request is the last one made.
 */
export class Slot {
  static bytes(rows: number, words: number): number {
    return 4 * (FLAGS + 2 * rows + rows * words)
  }

  readonly rows: readonly Uint32Array[]
  readonly #header: Int32Array
  readonly #text: Uint8Array

  constructor(buffer: ArrayBuffer | SharedArrayBuffer, words: number) {
    const count = Math.floor((buffer.byteLength / 4 - FLAGS) / (words + 2))
    const start = 4 * (FLAGS + 2 * count)
    this.#header = new Int32Array(buffer, 0, FLAGS + 2 * count)
    this.rows = Array.from({ length: count }, (_, i) => new Uint32Array(buffer, start + 4 * i * words, words))
    this.#text = new Uint8Array(buffer, start)
  }

  /** The last request that is done. */
  get request(): number {
    return Atomics.load(this.#header, REQUEST)
  }

  /** Rows that were written; each is valid only below this number. */
  get count(): number {
    return this.#header[ROWS] as number
  }

  accepting(row: number): boolean {
    return ((this.#header[FLAGS + row] as number) & ACCEPTING) !== 0
  }

  stopped(row: number): boolean {
    return ((this.#header[FLAGS + row] as number) & STOPPED) !== 0
  }

  draft(row: number): number {
    return this.#header[FLAGS + this.rows.length + row] as number
  }

  /** Why the request failed. */
  get error(): string | undefined {
    if (this.count !== FAILED) return undefined
    return new TextDecoder().decode(this.#text.slice(0, this.#header[FLAGS] as number))
  }

  setRow(row: number, accepting: boolean, stopped: boolean): void {
    this.#header[FLAGS + row] = (accepting ? ACCEPTING : 0) | (stopped ? STOPPED : 0)
  }

  setDraft(row: number, id: number): void {
    this.#header[FLAGS + this.rows.length + row] = id
  }

  finish(request: number, rows: number): void {
    this.#header[ROWS] = rows
    Atomics.store(this.#header, REQUEST, request)
    Atomics.notify(this.#header, REQUEST)
  }

  fail(request: number, reason: string): void {
    const bytes = new TextEncoder().encode(reason).subarray(0, this.#text.length)
    this.#text.set(bytes)
    this.#header[FLAGS] = bytes.length
    this.finish(request, FAILED)
  }

  /** Blocks until a request is done, or for so long. Whether it is done. */
  wait(request: number, milliseconds: number): boolean {
    const end = performance.now() + milliseconds
    for (let met = this.request; met !== request; met = this.request) {
      const left = end - performance.now()
      if (left <= 0) return false
      Atomics.wait(this.#header, REQUEST, met, left)
    }
    return true
  }
}
