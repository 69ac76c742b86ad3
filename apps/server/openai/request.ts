/** Bodies of chat.completions and completions: what is read of them, as schemas. Fields beyond these are let through. */
import { z } from 'zod'

const TextOrParts = z.union([z.string(), z.array(z.looseObject({ type: z.string() }))], {
  error: 'expected a text, or a list of parts with a type each',
})

const WireCall = z.looseObject({
  id: z.string().nullish(),
  function: z.looseObject({ name: z.string(), arguments: z.union([z.string(), z.looseObject({})]).nullish() }),
})

export const WireMessage = z.looseObject({
  role: z.string(),
  content: TextOrParts.nullish(),
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
  tool_calls: z.array(WireCall).nullish(),
  tool_call_id: z.string().nullish(),
})
export type WireMessage = z.infer<typeof WireMessage>

const WireTool = z.looseObject({
  type: z.string().nullish(),
  function: z
    .looseObject({
      name: z.string(),
      description: z.string().nullish(),
      parameters: z.looseObject({}).nullish(),
      strict: z.boolean().nullish(),
    })
    .nullish(),
})

export const WireToolChoice = z.union([z.string(), z.looseObject({ type: z.string() })])
export type WireToolChoice = z.infer<typeof WireToolChoice>

export const AllowedTools = z.looseObject({
  mode: z.enum(['auto', 'required']),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).min(1),
})

export const ResponseFormat = z.looseObject({
  type: z.string(),
  json_schema: z.looseObject({ schema: z.unknown().optional() }).nullish(),
  schema: z.unknown().optional(),
})
export type ResponseFormat = z.infer<typeof ResponseFormat>

const StreamOptions = z.looseObject({ include_usage: z.boolean().nullish() })

const Common = {
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: StreamOptions.nullish(),
  n: z.int().min(1).max(128).nullish(),
  cache_salt: z.string().nullish(),
  id_slot: z.int().min(-1).nullish(),
  return_progress: z.boolean().nullish(),
  response_format: ResponseFormat.nullish(),
}

export const ChatBody = z.looseObject({
  ...Common,
  messages: z.array(WireMessage).min(1),
  tools: z.array(WireTool).nullish(),
  tool_choice: WireToolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  reasoning_effort: z.string().nullish(),
  /** OpenRouter's form. */
  reasoning: z.looseObject({ effort: z.string().nullish(), enabled: z.boolean().nullish() }).nullish(),
  /** Qwen's form. */
  enable_thinking: z.boolean().nullish(),
  /** The form of DeepSeek, GLM and Kimi. */
  thinking: z.looseObject({ type: z.string() }).nullish(),
  reasoning_format: z.enum(['auto', 'deepseek', 'none']).nullish(),
  continue_final_message: z.boolean().nullish(),
  add_generation_prompt: z.boolean().nullish(),
  chat_template_kwargs: z.looseObject({}).nullish(),
})
export type ChatBody = z.infer<typeof ChatBody>

export const CompletionBody = z.looseObject({
  ...Common,
  prompt: z
    .union([z.string(), z.array(z.string()), z.array(z.int()), z.array(z.array(z.int()))], {
      error: 'expected a text or token ids, or a list of texts or of lists of ids',
    })
    .nullish(),
  suffix: z.string().nullish(),
  echo: z.boolean().nullish(),
  logprobs: z.int().min(0).max(20).nullish(),
})
export type CompletionBody = z.infer<typeof CompletionBody>
