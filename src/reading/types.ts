/** What one sees of a text that a model has read. */

/** A token of the text. */
export interface ReadingToken {
  /** Its place in the text, from 0 on. */
  readonly position: number
  readonly id: number
  /** Its bytes as UTF-8: a part of a character shows as U+FFFD, a special token by its name. */
  readonly text: string
  readonly bytes: Uint8Array
  /** It controls the model and is not text. */
  readonly special: boolean
}

/** A layer's attention by its sizes. */
export interface ReadingLayer {
  readonly layer: number
  /** `grouped`: keys and values per head or group of heads (MHA, GQA, MQA). `latent`: MLA. */
  readonly kind: 'grouped' | 'latent'
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
  /** C, the numbers of MLA's latent; null without one. */
  readonly latentSize: number | null
  /** Factor of q·k. */
  readonly scale: number
  /** Keys a query sees, itself included; null: all. */
  readonly window: number | null
}

/** What is known of a text as soon as it is read. */
export interface ReadingInfo {
  readonly tokens: readonly ReadingToken[]
  readonly layers: readonly ReadingLayer[]
  /** D, the width of the residual stream. */
  readonly hiddenSize: number
  /** A token sees those before it only; false: an encoder's sees all. */
  readonly causal: boolean
  /** Bytes that are kept until `dispose`. */
  readonly bytes: number
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

/** The attention of one head. Rows are queries, columns keys. */
export interface AttentionMap {
  readonly layer: number
  readonly head: number
  /** Position of the first row's query. */
  readonly start: number
  /** Queries. */
  readonly rows: number
  /** Keys: the tokens of the text. */
  readonly keys: number
  /** f32 [rows, keys]: after the softmax; 0 where a key is not seen. */
  readonly probabilities?: Float32Array
  /** f32 [rows, keys]: before the softmax, scaled; -Infinity where a key is not seen. */
  readonly scores?: Float32Array
  /** f32 [height, width]: the probabilities, each number of a rectangle of them. */
  readonly pooled?: { readonly height: number; readonly width: number; readonly values: Float32Array }
  readonly measures?: HeadMeasures
}

/** The residual stream at one depth. */
export interface HiddenStates {
  /** The layer that it enters; as many as there are layers: what leaves the last, before the final norm. */
  readonly layer: number
  /** Position of the first row. */
  readonly start: number
  readonly rows: number
  /** f32 [rows, D] */
  readonly values: Float32Array
}

/** A token that may come next. */
export interface TokenChance {
  readonly id: number
  readonly text: string
  readonly logit: number
  /** Of the softmax over the whole vocabulary. */
  readonly probability: number
}

/** What the model takes for the next token, at one depth. */
export interface NextTokens {
  /** Layers that the state has passed; as many as there are: what the model says. Fewer: the logit lens. */
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
