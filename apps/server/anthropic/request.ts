/** Bodies of /v1/messages and /v1/messages/count_tokens: what is read of them. Fields beyond these are let through. */
import { z } from 'zod'

/** What a block must have is checked by its type where it is read. */
export const WireBlock = z.looseObject({ type: z.string() })
export type WireBlock = z.infer<typeof WireBlock>

const TextOrBlocks = z.union([z.string(), z.array(WireBlock)], {
  error: 'expected a text, or a list of blocks with a type each',
})

export const WireMessage = z.looseObject({ role: z.string(), content: TextOrBlocks })
export type WireMessage = z.infer<typeof WireMessage>

/** `type` other than `custom`: a tool of Anthropic's own servers or clients. */
const WireTool = z.looseObject({
  type: z.string().nullish(),
  name: z.string().nullish(),
  description: z.string().nullish(),
  input_schema: z.looseObject({}).nullish(),
  strict: z.boolean().nullish(),
})

export const WireToolChoice = z.looseObject({
  type: z.string(),
  name: z.string().nullish(),
  disable_parallel_tool_use: z.boolean().nullish(),
})
export type WireToolChoice = z.infer<typeof WireToolChoice>

const Format = z.looseObject({ type: z.string(), schema: z.looseObject({}).nullish() })

/** What decides how many tokens the prompt has. */
export const CountBody = z.looseObject({
  model: z.string().nullish(),
  messages: z.array(WireMessage).min(1),
  system: TextOrBlocks.nullish(),
  tools: z.array(WireTool).nullish(),
  tool_choice: WireToolChoice.nullish(),
  thinking: z.looseObject({ type: z.string(), budget_tokens: z.int().min(0).nullish() }).nullish(),
  output_config: z.looseObject({ effort: z.string().nullish(), format: Format.nullish() }).nullish(),
  /** A conversation that the server holds. */
  thread: z.unknown().optional(),
  /** The older place of `output_config.format`. */
  output_format: Format.nullish(),
})
export type CountBody = z.infer<typeof CountBody>

export const MessagesBody = z.looseObject({
  ...CountBody.shape,
  stream: z.boolean().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  cache_salt: z.string().nullish(),
})
export type MessagesBody = z.infer<typeof MessagesBody>
