/** /api/embed, and the older /api/embeddings for one text. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../http/dialect.ts'
import type { Exchange } from '../http/exchange.ts'
import { json } from '../http/respond.ts'
import { estimatedTokens } from '../service/estimate.ts'
import type { Service } from '../service/service.ts'
import { readKeepAlive } from './keep-alive.ts'
import { ns } from './parts.ts'
import { KeepAlive } from './request.ts'

const Options = {
  model: z.string(),
  keep_alive: KeepAlive,
  dimensions: z.int().min(1).nullish(),
  truncate: z.boolean().nullish(),
}
const EmbedBody = z.looseObject({ ...Options, input: z.union([z.string(), z.array(z.string())]) })
const OldBody = z.looseObject({ ...Options, prompt: z.string() })

export function embedEndpoints(service: Service): readonly Endpoint[] {
  const embed = (exchange: Exchange<z.infer<typeof EmbedBody> | z.infer<typeof OldBody>>, texts: readonly string[]) => {
    const { model, dimensions, truncate, keep_alive: keepAlive } = exchange.body
    const tokens = texts.reduce((sum, text) => sum + estimatedTokens(text.length), 0)
    const options = { ...(dimensions && { dimensions }), ...(truncate && { truncate }), signal: exchange.signal }
    return service.use(
      exchange,
      model,
      tokens,
      ({ engine }) => (texts.length > 0 ? engine.embed([...texts], options) : null),
      readKeepAlive(keepAlive),
    )
  }
  return [
    endpoint({
      method: 'POST',
      path: '/api/embed',
      summary: 'Texts into vectors, as Ollama does',
      body: EmbedBody,
      run: async exchange => {
        const begun = performance.now()
        const { input, model } = exchange.body
        const made = await embed(exchange, typeof input === 'string' ? [input] : input)
        return json({
          model,
          embeddings: made ? made.embeddings.map(vector => [...vector]) : [],
          total_duration: ns(performance.now() - begun),
          load_duration: 0,
          prompt_eval_count: made?.usage.tokens ?? 0,
        })
      },
    }),
    endpoint({
      method: 'POST',
      path: '/api/embeddings',
      summary: 'One text into a vector, as Ollama once did',
      body: OldBody,
      run: async exchange => {
        const made = await embed(exchange, [exchange.body.prompt])
        return json({ embedding: [...(made?.embeddings[0] ?? [])] })
      },
    }),
  ]
}
