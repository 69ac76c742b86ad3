/** A tool that the model may call. */
export interface ToolDescription {
  /** Letters, digits, `_`, `-` and `.`. */
  readonly name: string
  /** What it does, for the model. */
  readonly description?: string
  /** JSON schema of the arguments, an object. Default: no arguments. */
  readonly parameters?: Readonly<Record<string, unknown>>
}

/** Which tools the model calls: as it likes, at least one, none, or the named one. */
export type ToolChoice = 'auto' | 'required' | 'none' | { readonly name: string }
