import { stripText, type TextStrip, type TokenPiece } from './token-decoder.ts'

export interface VocabularyPiece extends TokenPiece {
  readonly special: boolean
}

/** The bytes of a vocabulary's tokens, each computed at its first use: a text uses little of a large vocabulary. */
export class TokenPieces {
  readonly strip: TextStrip | undefined
  readonly #create: (id: number) => VocabularyPiece | undefined
  readonly #known = new Map<number, VocabularyPiece>()

  constructor(create: (id: number) => VocabularyPiece | undefined, strip: TextStrip | undefined) {
    this.#create = create
    this.strip = strip
  }

  /** Undefined for ids without a token: a model's embedding may be longer than its vocabulary. */
  piece(id: number): VocabularyPiece | undefined {
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const piece = this.#create(id)
    if (piece !== undefined) this.#known.set(id, piece)
    return piece
  }
}

/** Options of `Tokenizer.decode` and `Tokenizer.detokenizer`. */
export interface DetokenizerOptions {
  /** Leave out special tokens (end of turn, padding …). Default false. */
  readonly skipSpecialTokens?: boolean
}

const EMPTY = new Uint8Array(0)
const STREAM = { stream: true }

/**
 * Converts ids that arrive one by one into text that can be shown at once: all bytes so far, except a last UTF-8 sequence
 * that later bytes could still complete. It inspects bytes and does not wait for U+FFFD to disappear, since a model may
 * write U+FFFD itself. Returned text never changes; the results of `push` and `flush` joined equal `decode` of the ids. An
 * invalid sequence gives one U+FFFD per maximal subpart, as in the web's encoding standard.
 */
export class Detokenizer {
  readonly #pieces: TokenPieces
  readonly #skipSpecial: boolean
  readonly #strip: StreamStrip | undefined
  readonly #utf8 = newUtf8Decoder()
  #first = true
  #gap: Uint8Array = EMPTY

  /** @internal Use `tokenizer.detokenizer()`. */
  constructor(pieces: TokenPieces, options: DetokenizerOptions = {}) {
    this.#pieces = pieces
    this.#skipSpecial = options.skipSpecialTokens ?? false
    this.#strip = pieces.strip && new StreamStrip(pieces.strip)
  }

  /** Adds a token; returns the text that is now certain, often '' inside a character. */
  push(id: number): string {
    const piece = this.#pieces.piece(id)
    if (piece === undefined || (this.#skipSpecial && piece.special)) return ''
    let text = this.#gap.length > 0 ? this.#utf8.decode(this.#gap, STREAM) : ''
    text += this.#utf8.decode(this.#first ? piece.first : piece.later, STREAM)
    this.#first = false
    this.#gap = piece.gap
    return this.#strip ? this.#strip.push(text) : text
  }

  /** Ends the text: returns the rest, with an unfinished character as U+FFFD, and resets. */
  flush(): string {
    const text = this.#utf8.decode()
    this.#first = true
    this.#gap = EMPTY
    return this.#strip ? this.#strip.flush(text) : text
  }
}

/** Decodes all ids at once: one pass over the bytes and one call of the decoder. */
export function decodeAll(pieces: TokenPieces, ids: ArrayLike<number>, options: DetokenizerOptions = {}): string {
  const skip = options.skipSpecialTokens ?? false
  let bytes = new Uint8Array(Math.max(64, ids.length * 6))
  let length = 0
  let gap: Uint8Array = EMPTY
  let first = true
  const append = (part: Uint8Array) => {
    if (length + part.length > bytes.length) {
      const grown = new Uint8Array((length + part.length) * 2)
      grown.set(bytes)
      bytes = grown
    }
    bytes.set(part, length)
    length += part.length
  }
  for (let i = 0; i < ids.length; i++) {
    const piece = pieces.piece(ids[i]!)
    if (piece === undefined || (skip && piece.special)) continue
    if (gap.length > 0) append(gap)
    append(first ? piece.first : piece.later)
    gap = piece.gap
    first = false
  }
  const text = newUtf8Decoder().decode(bytes.subarray(0, length))
  return pieces.strip ? stripText(text, pieces.strip) : text
}

/** `ignoreBOM` keeps U+FEFF: it is a character of the text like any other. */
function newUtf8Decoder() {
  return new TextDecoder('utf-8', { ignoreBOM: true })
}

/** Streaming `stripText`: holds back text that may turn out to be a stripped end. */
class StreamStrip {
  readonly #rule: TextStrip
  #start: number
  #held = ''

  constructor(rule: TextStrip) {
    this.#rule = rule
    this.#start = rule.start
  }

  push(piece: string): string {
    const { content, stop } = this.#rule
    let text = this.#held + piece
    while (this.#start > 0 && text !== '') {
      if (!text.startsWith(content)) this.#start = 0
      else {
        text = text.slice(content.length)
        this.#start--
      }
    }
    let end = text.length
    for (let i = 0; i < stop && text.endsWith(content, end); i++) end -= content.length
    this.#held = text.slice(end)
    return text.slice(0, end)
  }

  flush(piece: string): string {
    const text = this.push(piece)
    this.#held = ''
    this.#start = this.#rule.start
    return text
  }
}
