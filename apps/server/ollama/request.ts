/** Bodies of chat and generate: what is read of them, as schemas. Fields beyond these are let through. */
import { z } from 'zod'

const Images = z.array(z.unknown()).nullish()

const Call = z.looseObject({
  id: z.string().nullish(),
  function: z.looseObject({ name: z.string(), arguments: z.looseObject({}).nullish() }),
})

export const OllamaMessage = z.looseObject({
  role: z.string(),
  content: z.string().nullish(),
  thinking: z.string().nullish(),
  images: Images,
  tool_calls: z.array(Call).nullish(),
  tool_name: z.string().nullish(),
  /** The older name of `tool_name`. */
  name: z.string().nullish(),
  tool_call_id: z.string().nullish(),
})
export type OllamaMessage = z.infer<typeof OllamaMessage>

const OllamaTool = z.looseObject({
  function: z.looseObject({
    name: z.string(),
    description: z.string().nullish(),
    parameters: z.looseObject({}).nullish(),
  }),
})

export const KeepAlive = z.union([z.string(), z.number()]).nullish()

const Common = {
  model: z.string(),
  stream: z.boolean().nullish(),
  format: z.union([z.string(), z.looseObject({})], { error: 'expected "json" or a JSON schema' }).nullish(),
  options: z.looseObject({}).nullish(),
  think: z.union([z.boolean(), z.string()], { error: 'expected true, false, "low", "medium" or "high"' }).nullish(),
  keep_alive: KeepAlive,
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
}
const Asked = z.looseObject(Common)
export type Asked = z.infer<typeof Asked>

export const ChatBody = z.looseObject({
  ...Common,
  messages: z.array(OllamaMessage).nullish(),
  tools: z.array(OllamaTool).nullish(),
  /** Not in Ollama: whether the model must call, as OpenAI writes it. */
  tool_choice: z
    .union([z.enum(['auto', 'none', 'required']), z.looseObject({ function: z.looseObject({ name: z.string() }) })])
    .nullish(),
})
export type ChatBody = z.infer<typeof ChatBody>

export const GenerateBody = z.looseObject({
  ...Common,
  prompt: z.string().nullish(),
  suffix: z.string().nullish(),
  system: z.string().nullish(),
  template: z.string().nullish(),
  context: z.array(z.int()).nullish(),
  raw: z.boolean().nullish(),
  images: Images,
})
export type GenerateBody = z.infer<typeof GenerateBody>
