/** Bodies of /v1/responses: what is read of them. Fields beyond these are let through. */
import { z } from 'zod'

/** What an item must have is checked by its type where it is read. */
export const WireItem = z.looseObject({ type: z.string().nullish() })
export type WireItem = z.infer<typeof WireItem>

/** `type` other than `function`: a tool of OpenAI's own servers or clients. */
const WireTool = z.looseObject({
  type: z.string(),
  name: z.string().nullish(),
  description: z.string().nullish(),
  parameters: z.looseObject({}).nullish(),
  strict: z.boolean().nullish(),
})

export const WireToolChoice = z.union([
  z.string(),
  z.looseObject({
    type: z.string(),
    name: z.string().nullish(),
    mode: z.string().nullish(),
    tools: z.array(z.looseObject({ type: z.string(), name: z.string().nullish() })).nullish(),
  }),
])
export type WireToolChoice = z.infer<typeof WireToolChoice>

const TextFormat = z.looseObject({ type: z.string(), schema: z.looseObject({}).nullish() })

/** What decides how many tokens the prompt has. */
export const CountBody = z.looseObject({
  model: z.string().nullish(),
  input: z.union([z.string(), z.array(WireItem)], { error: 'expected a text or a list of items' }).nullish(),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  tools: z.array(WireTool).nullish(),
  tool_choice: WireToolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  reasoning: z.looseObject({ effort: z.string().nullish(), summary: z.string().nullish() }).nullish(),
  text: z.looseObject({ format: TextFormat.nullish(), verbosity: z.string().nullish() }).nullish(),
  /** These are somebody else's servers' and are refused. */
  conversation: z.unknown().optional(),
  prompt: z.unknown().optional(),
  background: z.boolean().nullish(),
})
export type CountBody = z.infer<typeof CountBody>

export const ResponsesBody = z.looseObject({
  ...CountBody.shape,
  stream: z.boolean().nullish(),
  store: z.boolean().nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  include: z.array(z.string()).nullish(),
  metadata: z.looseObject({}).nullish(),
  cache_salt: z.string().nullish(),
})
export type ResponsesBody = z.infer<typeof ResponsesBody>
