/** Every API that the server speaks. One that is added has a folder, and a line here. A path that is not there is refused by the first that owns it, else by the last one. */
import { anthropic } from './anthropic/index.ts'
import type { Dialect } from './http/dialect.ts'
import { llamaCpp } from './llama-cpp/index.ts'
import { ollama } from './ollama/index.ts'
import { openai } from './openai/index.ts'
import { page } from './page/index.ts'
import { responses } from './responses/index.ts'
import type { Service } from './service/service.ts'

export const DIALECTS: readonly ((service: Service) => Dialect)[] = [
  anthropic,
  responses,
  ollama,
  llamaCpp,
  page,
  openai,
]
