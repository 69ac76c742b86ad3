/** How one vector is made of a text's hidden states. */
export type PoolingMode = 'mean' | 'last' | 'cls'

/** What a checkpoint's files say of the vectors that texts become. What they leave unsaid is undefined. */
export interface EmbeddingFacts {
  readonly pooling?: PoolingMode
  /** Vectors are divided by their length. */
  readonly normalize?: boolean
  /** Tokens of the longest text, special tokens included, and the file that says so. */
  readonly limit?: { readonly tokens: number; readonly file: string }
  /** Texts that are put before a text, by their names. */
  readonly prompts?: Readonly<Record<string, string>>
  /** Name of the prompt that is put before texts unless another is chosen. */
  readonly defaultPrompt?: string
  /** Why vectors as these files mean them cannot be computed here. */
  readonly refused?: string
}
