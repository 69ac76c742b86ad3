import { Rng } from '../sampling/rng.ts'
import type { TrainingText } from './training-texts.ts'

/** Tokens that are learned from as one text, which sees nothing of others. */
export interface Document {
  readonly tokens: Int32Array
  /** Of each token whether it is learned, 1 or 0. Default: all. Such a document is never cut: an answer without its question teaches nothing. */
  readonly learned?: Uint8Array
  /** Two texts of which one is preferred: tokens of the chosen one, which is first, and of both prompts. Never cut, either. */
  readonly pair?: Pair
}

export interface Pair {
  readonly chosen: number
  readonly prompts: readonly [number, number]
}

/** What is known of a document without its tokens. */
export interface DocumentShape {
  /** Tokens. */
  readonly length: number
  /** Whether it says what is learned of it, and so is never cut. */
  readonly marked: boolean
  readonly pair?: Pair
}

/** Documents wherever they are: more of them than memory holds, perhaps. */
export interface Documents {
  readonly count: number
  shape(index: number): DocumentShape
  /** Tokens from .. to - 1 of one. */
  read(index: number, from: number, to: number): Document
}

/** A whole document by its number. */
export interface NumberedDocument {
  readonly index: number
  readonly document: Document
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
 * batches, so a run that goes on from step n asks for batch n. Holds 4 bytes for each piece, no tokens.
 */
export class Batches {
  readonly #documents: Documents
  readonly #options: BatchOptions
  readonly #pieces: Pieces
  readonly #order: Uint32Array
  #epoch = -1
  #next: number

  constructor(documents: Documents, options: BatchOptions) {
    this.#documents = documents
    this.#options = options
    this.#pieces = new Pieces(documents, options.contextLength)
    this.#order = new Uint32Array(this.#pieces.count)
    this.#next = this.#order.length
  }

  /** Tokens of one epoch that are followed by another. */
  get tokens(): number {
    return this.#pieces.tokens
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
  nextDocuments(): NumberedDocument[] {
    return this.#take().map(({ document }) => numbered(this.#documents, document))
  }

  next(): TrainingText[] {
    return this.#take().map(piece => textOf(this.#documents, piece))
  }

  #take(): Piece[] {
    const taken: Piece[] = []
    for (let tokens = 0; tokens < this.#options.batchTokens; ) {
      if (this.#next === this.#order.length) this.#beginEpoch()
      const piece = this.#pieces.at(this.#order[this.#next++] as number)
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
    const order = this.#order
    for (let i = 0; i < order.length; i++) order[i] = i
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(rng.next() * (i + 1))
      const moved = order[i] as number
      order[i] = order[j] as number
      order[j] = moved
    }
  }
}

/** All pieces of documents in their order, for validation. */
export function* textsOf(documents: Documents, contextLength: number): Generator<TrainingText, void, void> {
  for (let document = 0; document < documents.count; document++) {
    const shape = documents.shape(document)
    for (let i = 0; i < piecesIn(shape, contextLength); i++) {
      yield textOf(documents, pieceOf(shape, document, i, contextLength))
    }
  }
}

/** Whole documents, but those that are too long, for pairs. */
export function* wholeDocuments(documents: Documents, contextLength: number): Generator<NumberedDocument, void, void> {
  for (let index = 0; index < documents.count; index++) {
    if (!isTooLong(documents.shape(index), contextLength)) yield numbered(documents, index)
  }
}

/** Documents that are too long to be learned and may not be cut. */
export function tooLong(documents: Documents, contextLength: number): number {
  let count = 0
  for (let i = 0; i < documents.count; i++) if (isTooLong(documents.shape(i), contextLength)) count++
  return count
}

function numbered(documents: Documents, index: number): NumberedDocument {
  return { index, document: documents.read(index, 0, documents.shape(index).length) }
}

/** Every so many documents the number of pieces before one is noted. */
const STRIDE = 64

/** All pieces of documents by their numbers, without a record for each. */
class Pieces {
  readonly count: number
  /** Tokens in them that are followed by another. */
  readonly tokens: number
  readonly #documents: Documents
  readonly #contextLength: number
  readonly #before: Float64Array

  constructor(documents: Documents, contextLength: number) {
    this.#documents = documents
    this.#contextLength = contextLength
    this.#before = new Float64Array(Math.ceil(documents.count / STRIDE))
    let [count, tokens] = [0, 0]
    for (let i = 0; i < documents.count; i++) {
      if (i % STRIDE === 0) this.#before[i / STRIDE] = count
      const shape = documents.shape(i)
      const pieces = piecesIn(shape, contextLength)
      count += pieces
      if (pieces > 0) tokens += shape.length - (shape.pair ? 2 : 1)
    }
    this.count = count
    this.tokens = tokens
  }

  at(piece: number): Piece {
    let [low, high] = [0, this.#before.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((this.#before[middle] as number) <= piece) low = middle
      else high = middle
    }
    let left = piece - (this.#before[low] as number)
    for (let document = low * STRIDE; ; document++) {
      const shape = this.#documents.shape(document)
      const pieces = piecesIn(shape, this.#contextLength)
      if (left < pieces) return pieceOf(shape, document, left, this.#contextLength)
      left -= pieces
    }
  }
}

function piecesIn(shape: DocumentShape, contextLength: number): number {
  if (isTooLong(shape, contextLength)) return 0
  return shape.pair ? 1 : Math.ceil(Math.max(0, shape.length - 1) / contextLength)
}

function pieceOf({ length, pair }: DocumentShape, document: number, index: number, contextLength: number): Piece {
  if (pair) return { document, from: 0, count: length - 2 }
  const from = index * contextLength
  return { document, from, count: Math.min(contextLength, length - 1 - from) }
}

function isTooLong({ length, marked, pair }: DocumentShape, contextLength: number): boolean {
  if (pair) return Math.max(pair.chosen, length - pair.chosen) - 1 > contextLength
  return marked && length - 1 > contextLength
}

function textOf(documents: Documents, { document, from, count }: Piece): TrainingText {
  const { tokens, learned } = documents.read(document, from, from + count + 1)
  const targets = tokens.slice(1)
  if (learned) for (let i = 0; i < count; i++) if (!learned[i + 1]) targets[i] = -1
  return { tokens: tokens.subarray(0, count), targets }
}
