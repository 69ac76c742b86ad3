/** What one sees of a text that a model has read. */

/** A token of the text. */
export interface ReadingToken {
  /** Its place in the text, from 0 on. */
  readonly position: number
  /** Its number in the vocabulary. */
  readonly id: number
  /** Its bytes as UTF-8: a part of a character shows as U+FFFD, a special token by its name. */
  readonly text: string
  /** Its bytes: a token may hold a part of a character. */
  readonly bytes: Uint8Array
  /** It controls the model and is not text. */
  readonly special: boolean
}

/** A layer's attention by its sizes. */
export interface ReadingLayer {
  /** Its index, from 0 on. */
  readonly layer: number
  /**
   * `grouped`: keys and values per head or group of heads (MHA, GQA, MQA). `latent`: MLA. `delta`, `convolution`: a state in place of
   * keys (the gated delta rule, a short convolution); it attends to nothing, and all its sizes are 0.
   */
  readonly kind: 'grouped' | 'latent' | 'delta' | 'convolution'
  /** H, query heads. */
  readonly heads: number
  /** Heads of keys and values: H, fewer (GQA) or 1 (MQA); of MLA, what each head raises from the shared latent: H. */
  readonly keyHeads: number
  /** Numbers of a query and a key of a head: for MLA N + R. */
  readonly keySize: number
  /** Numbers of a value of a head. */
  readonly valueSize: number
  /** Numbers of a query or key that rope rotates; 0: none. */
  readonly ropeSize: number
  /** R, the numbers of the key that the heads of MLA share, rotated or not; 0 without a latent. */
  readonly sharedKeySize: number
  /** C, the numbers of MLA's latent; null without one. */
  readonly latentSize: number | null
  /** Factor of q·k. */
  readonly scale: number
  /** Keys a query sees, itself included; null: all. */
  readonly window: number | null
  /** Keys that a query attends to at most, chosen by an indexer; null: it attends to all that it sees. */
  readonly topK: number | null
  /** The earlier layer whose keys and values it reads, as it stores none (Gemma 4); null: it has its own. */
  readonly keysOf: number | null
  /** Heads of cross-attention to the source of an encoder-decoder; 0: the layer has none. */
  readonly crossHeads: number
}

/** What is known of a text as soon as it is read. */
export interface ReadingInfo {
  /** The text's tokens. */
  readonly tokens: readonly ReadingToken[]
  /** How each layer attends. */
  readonly layers: readonly ReadingLayer[]
  /** D, the width of the residual stream. */
  readonly hiddenSize: number
  /** A token sees those before it only; false: an encoder's sees all. */
  readonly causal: boolean
  /** Layers here that the model's files count as one (LongCat: 2, as its layers have two attentions). Else 1. */
  readonly layersInOne: number
  /** Bytes that are kept until `dispose`, those of the source among them. */
  readonly bytes: number
  /** What an encoder-decoder's encoder has read; null: the model has none. */
  readonly source: ReadingInfo | null
}

/** How a head attends, in numbers from 0 to 1, over all queries that can; null where no query can. */
export interface HeadMeasures {
  /** Mean probability of the token just before. */
  readonly previous: number | null
  /** Mean probability of the first token, over queries but the first. */
  readonly first: number | null
  /** Mean probability of the tokens that followed earlier occurrences of the query's token (arXiv 2209.11895). */
  readonly induction: number | null
  /** Mean probability of earlier occurrences of the query's word, whatever its case and the blank before it. */
  readonly sameWord: number | null
}

/** A pattern in fewer numbers: each stands for a rectangle of probabilities. */
export interface PooledMap {
  /** Rows. */
  readonly height: number
  /** Columns. */
  readonly width: number
  /** f32 [height, width] */
  readonly values: Float32Array
}

/** The attention of one head. Rows are queries, columns keys. */
export interface AttentionMap {
  /** The layer. */
  readonly layer: number
  /** The query head. */
  readonly head: number
  /** Position of the first row's query. */
  readonly start: number
  /** Queries. */
  readonly rows: number
  /** Keys: the tokens of the text; of cross-attention, of the source. */
  readonly keys: number
  /** f32 [rows, keys]: after the softmax; 0 where a key is not seen. */
  readonly probabilities?: Float32Array
  /** f32 [rows, keys]: before the softmax, scaled; -Infinity where a key is not seen. */
  readonly scores?: Float32Array
  /** f32 [height, width]: the probabilities, each number of a rectangle of them. */
  readonly pooled?: PooledMap
  /** What the head looks at, over the chosen rows. */
  readonly measures?: HeadMeasures
}

/** The residual stream at one depth. */
export interface HiddenStates {
  /** The layer that it enters; as many as there are layers: what leaves the last, before the final norm. */
  readonly layer: number
  /** Position of the first row. */
  readonly start: number
  /** Number of rows. */
  readonly rows: number
  /** f32 [rows, D] */
  readonly values: Float32Array
}

/** A token that may come next. */
export interface TokenChance {
  /** Its number in the vocabulary. */
  readonly id: number
  /** Its text. */
  readonly text: string
  /** Its logit. */
  readonly logit: number
  /** Of the softmax over the whole vocabulary. */
  readonly probability: number
}

/** What the model takes for the next token, at one depth. */
export interface NextTokens {
  /**
   * Layers that the state has passed; as many as there are: what the model says. Fewer: the logit lens, with all that these layers have
   * returned (of LongCat also what joins the stream behind the next one).
   */
  readonly layer: number
  /** Position of the token whose successor is meant. */
  readonly row: number
  /** The likeliest first. */
  readonly top: readonly TokenChance[]
  /** Entropy of all probabilities, in bits. */
  readonly entropy: number
  /** f32 [vocab]. */
  readonly logits?: Float32Array
}

/** Queries and keys before rope. */
export interface UnrotatedVectors {
  /** f32 [rows, keySize] */
  readonly queries: Float32Array
  /** f32 [rows, keySize] */
  readonly keys: Float32Array
}

/** Queries, keys and values of one head, as attention multiplies them. */
export interface HeadVectors {
  /** The layer. */
  readonly layer: number
  /** The query head. */
  readonly head: number
  /** Position of the first row. */
  readonly start: number
  /** Number of rows. */
  readonly rows: number
  /** f32 [rows, keySize]; of MLA N numbers without positions, then R that rope rotated. */
  readonly queries: Float32Array
  /** f32 [rows, keySize]; of MLA raised from the latent (W_UK), then the rope key. */
  readonly keys: Float32Array
  /** f32 [rows, valueSize]; of MLA raised from the latent (W_UV). */
  readonly values: Float32Array
  /** The same before their rotation; absent where the layer has no rope. */
  readonly unrotated?: UnrotatedVectors
  /** MLA only. */
  readonly latent?: {
    /** f32 [rows, C]: what is cached of a token, with its rope key. The same for all heads. */
    readonly latents: Float32Array
    /** f32 [rows, R]: rotated. The same for all heads. */
    readonly ropeKeys: Float32Array
    /** f32 [rows, C]: the queries' first N numbers in the latents' space (W_UK transposed). */
    readonly absorbedQueries: Float32Array
  }
}

/** One way of computing a cell. */
export interface CellPath {
  /** `grouped`: the one way of layers with keys of their own. MLA has two. */
  readonly path: 'grouped' | 'expanded' | 'absorbed'
  /** What is multiplied: f32 [keySize]; absorbed [C + R]. */
  readonly query: Float32Array
  /** f32, as long as `query`. */
  readonly key: Float32Array
  /** Where in them the numbers stand that rope rotated: from .. to. */
  readonly rope: readonly [from: number, to: number]
  /** The dot product over the numbers without positions, over the rotated ones, and their sum; in f64, from these very numbers. */
  readonly plainDot: number
  /** The dot product over the rotated numbers. */
  readonly ropeDot: number
  /** The whole dot product. */
  readonly dot: number
  /** dot x scale + bias. */
  readonly worked: number
  /** The score by the kernels on this path: equal to `worked` but for rounding; -Infinity where the key is not seen. */
  readonly score: number
  /** Of the softmax over the keys that are seen. */
  readonly probability: number
  /** f32 [valueSize]: what the head found for the query on this path, before a gate. */
  readonly output: Float32Array
}

/** The part of a vector that rope rotates. */
export interface RotatedVector {
  /** The token's position: what it is rotated by. */
  readonly position: number
  /** f32 [2r] */
  readonly before: Float32Array
  /** f32 [2r]: rotated. */
  readonly after: Float32Array
  /** f32 [r], by pair; times the factor of the stretching, where there is one. */
  readonly cos: Float32Array
  /** f32 [r], by pair. */
  readonly sin: Float32Array
}

/** How rope turns a cell's query and key. */
export interface CellRotation {
  /** Where in a query or key the rotated numbers begin. */
  readonly start: number
  /** Pairs are (2i, 2i + 1); else (i, i + r). */
  readonly interleaved: boolean
  /** Of the query. */
  readonly query: RotatedVector
  /** Of the key. */
  readonly key: RotatedVector
}

/** A key that a cell's query looks at. */
export interface CellNeighbour {
  /** Of the key. */
  readonly position: number
  /** Before the softmax, scaled. */
  readonly score: number
  /** After the softmax. */
  readonly probability: number
}

/** What MLA caches of a token in one layer. */
export interface CachedLatent {
  /** f32 [C] */
  readonly latent: Float32Array
  /** f32 [R], rotated. */
  readonly ropeKey: Float32Array
}

/** One query and one key of one head, worked. */
export interface Cell {
  /** The layer. */
  readonly layer: number
  /** The query head. */
  readonly head: number
  /** Positions. */
  readonly query: number
  /** Position of the key. */
  readonly key: number
  /** false: the mask or the window hides the key from the query, or it is not among those that the query chose. */
  readonly seen: boolean
  /** Factor of the dot product. */
  readonly scale: number
  /** Added to the score for the distance of query and key (T5); 0 in other models. */
  readonly bias: number
  /** By the kernels, on the path that the model takes for this query. */
  readonly score: number
  /** Of the softmax, on that path. */
  readonly probability: number
  /** All ways of computing it; the model's own first. */
  readonly paths: readonly CellPath[]
  /** The keys that this query looks at most, the likeliest first. */
  readonly neighbours: readonly CellNeighbour[]
  /** f32 [valueSize]: the key's value, and the same times its probability. */
  readonly value: Float32Array
  /** f32 [valueSize]: `value` times `probability`. */
  readonly weighted: Float32Array
  /** f32 [valueSize]: what the head found, over all keys. */
  readonly output: Float32Array
  /** f32 [valueSize]: what the layer multiplies this by, number by number, before it is projected; null without a gate. */
  readonly gate: Float32Array | null
  /** f32 [D]: what this key adds through this head: W_O of `weighted` (times `gate`), before a norm or factor that the block may have there. */
  readonly contribution: Float32Array
  /**
   * f32 [D]: x of the key's token as attention projects it to a key (normed, where the block does so first); of cross-attention the
   * encoder's, of a layer with `keysOf` that layer's.
   */
  readonly input: Float32Array
  /** null without rope. */
  readonly rotation: CellRotation | null
  /** What MLA caches of the key's token: f32 [C] and [R]; null for other attention. */
  readonly latent: CachedLatent | null
}

/** How much of what a layer stores a smaller rank keeps. */
export interface Spectrum {
  /** The layer. */
  readonly layer: number
  /** What was taken apart, over all tokens of the text and all heads. */
  readonly of: SpectrumOf
  /** Numbers of a token. */
  readonly width: number
  /** The largest first, f64. */
  readonly singularValues: Float64Array
  /** errors[r]: what rank r loses, as a part of the whole (Frobenius norm): 1 for r = 0, 0 at the end. */
  readonly errors: Float64Array
}

/** What of a layer's tokens is taken apart: as it is cached, or all keys and values together, before rope. */
export type SpectrumOf = 'latent' | 'keys' | 'values' | 'keysAndValues'

/** A token whose embedding points nearly the same way. */
export interface Neighbour {
  /** Its number in the vocabulary. */
  readonly id: number
  /** Its text. */
  readonly text: string
  /** Cosine of the two embeddings. */
  readonly similarity: number
}
