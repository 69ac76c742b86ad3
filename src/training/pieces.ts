import { Rng } from '../sampling/rng.ts'
import type { TrainingText } from './trainer.ts'

/** Tokens that are learned from as one text, which sees nothing of others. */
export interface Document {
  readonly tokens: Int32Array
  /** Of each token whether it is learned, 1 or 0. Default: all. Such a document is never cut: an answer without its question teaches nothing. */
  readonly learned?: Uint8Array
  /** Two texts of which one is preferred: tokens of the chosen one, which is first, and of both prompts. Never cut, either. */
  readonly pair?: { readonly chosen: number; readonly prompts: readonly [number, number] }
}

/** Tokens from .. from + count of a document, each with the one that follows it. */
interface Piece {
  readonly document: number
  readonly from: number
  readonly count: number
}

export interface BatchOptions {
  /** Most tokens of a text; longer documents are cut. */
  readonly contextLength: number
  /** Tokens of a batch, about: texts are added until it has as many. */
  readonly batchTokens: number
  readonly seed: number
}

/**
 * Batches of documents without end: all pieces in an order that seed and epoch give, then again in another. The same seed gives the same
 * batches, so a run that goes on from step n asks for batch n.
 */
export class Batches {
  readonly #documents: readonly Document[]
  readonly #options: BatchOptions
  readonly #pieces: readonly Piece[]
  #order: readonly number[] = []
  #epoch = -1
  #next = 0

  constructor(documents: readonly Document[], options: BatchOptions) {
    this.#documents = documents
    this.#options = options
    this.#pieces = documents.flatMap((document, index) => piecesOf(document, index, options.contextLength))
  }

  /** Tokens of one epoch that are followed by another. */
  get tokens(): number {
    return this.#pieces.reduce((sum, { count }) => sum + count, 0)
  }

  /** Batches until all pieces were there once. */
  get perEpoch(): number {
    const batches = new Batches(this.#documents, this.#options)
    let count = 0
    do {
      batches.#take()
      count++
    } while (batches.#epoch === 0 && batches.#next < batches.#order.length)
    return count
  }

  /** Epochs begun. */
  get epoch(): number {
    return this.#epoch + 1
  }

  /** Passes over the batches before the one of this index. */
  skip(batches: number): void {
    for (let i = 0; i < batches; i++) this.#take()
  }

  /** The same as whole documents, for pairs. */
  nextDocuments(): Document[] {
    return this.#take().map(({ document }) => this.#documents[document] as Document)
  }

  next(): TrainingText[] {
    return this.#take().map(piece => textOf(this.#documents, piece))
  }

  #take(): Piece[] {
    const taken: Piece[] = []
    for (let tokens = 0; tokens < this.#options.batchTokens; ) {
      if (this.#next === this.#order.length) this.#beginEpoch()
      const piece = this.#pieces[this.#order[this.#next++] as number] as Piece
      taken.push(piece)
      tokens += piece.count
    }
    return taken
  }

  /** Fisher and Yates' shuffle. */
  #beginEpoch(): void {
    this.#epoch++
    this.#next = 0
    const rng = Rng.seeded(BigInt(this.#options.seed) * 0x10000n + BigInt(this.#epoch))
    const order = this.#pieces.map((_, i) => i)
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(rng.next() * (i + 1))
      ;[order[i], order[j]] = [order[j] as number, order[i] as number]
    }
    this.#order = order
  }
}

/** All pieces of documents in their order, for validation. */
export function textsOf(documents: readonly Document[], contextLength: number): TrainingText[] {
  return documents.flatMap((document, index) =>
    piecesOf(document, index, contextLength).map(piece => textOf(documents, piece)),
  )
}

/** Documents that are too long to be learned and may not be cut. */
export function tooLong(documents: readonly Document[], contextLength: number): number {
  return documents.filter(document => isTooLong(document, contextLength)).length
}

function textOf(documents: readonly Document[], { document, from, count }: Piece): TrainingText {
  const { tokens, learned } = documents[document] as Document
  const targets = tokens.slice(from + 1, from + count + 1)
  if (learned) for (let i = 0; i < count; i++) if (!learned[from + i + 1]) targets[i] = -1
  return { tokens: tokens.subarray(from, from + count), targets }
}

function isTooLong({ tokens, learned, pair }: Document, length: number): boolean {
  if (pair) return Math.max(pair.chosen, tokens.length - pair.chosen) - 1 > length
  return learned !== undefined && tokens.length - 1 > length
}

function piecesOf(given: Document, document: number, length: number): Piece[] {
  const { tokens } = given
  if (isTooLong(given, length)) return []
  if (given.pair) return [{ document, from: 0, count: tokens.length - 2 }]
  const pieces: Piece[] = []
  for (let from = 0; from + 1 < tokens.length; from += length) {
    pieces.push({ document, from, count: Math.min(length, tokens.length - 1 - from) })
  }
  return pieces
}
