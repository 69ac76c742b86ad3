/** Every API that the server speaks. One that is added has a folder, and a line here. The first owns what nobody else does. */
import type { Dialect } from './http/dialect.ts'
import { native } from './native/index.ts'
import { openai } from './openai/index.ts'
import { page } from './page/index.ts'
import type { Service } from './service/service.ts'

export const DIALECTS: readonly ((service: Service) => Dialect)[] = [openai, native, page]
