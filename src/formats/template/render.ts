/** A message as chat templates know it. */
export interface TemplateMessage {
  readonly role: string
  readonly content: string | null | readonly { readonly type: 'text'; readonly text: string }[]
  readonly tool_calls?: readonly {
    readonly id: string
    readonly type: 'function'
    readonly function: { readonly name: string; readonly arguments: unknown }
  }[]
  readonly tool_call_id?: string
  readonly name?: string
  readonly [reasoning: string]: unknown
}

/** A tool as chat templates know it: OpenAI's form. */
export interface TemplateTool {
  readonly type: 'function'
  readonly function: {
    readonly name: string
    readonly description: string
    readonly parameters: Readonly<Record<string, unknown>>
  }
}

export interface RenderOptions {
  readonly tools?: readonly TemplateTool[]
  readonly addGenerationPrompt?: boolean
  readonly variables?: Readonly<Record<string, unknown>>
}

/** A chat template as a function; throws where it refuses the messages. */
export type Render = (messages: readonly TemplateMessage[], options?: RenderOptions) => string
