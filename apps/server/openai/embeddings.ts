/** /v1/embeddings and /v1/rerank */
import { z } from 'zod'
import { invalid } from '../failure.ts'
import { type Endpoint, endpoint } from '../http/dialect.ts'
import { json } from '../http/respond.ts'
import { estimatedTokens } from '../service/estimate.ts'
import type { Service } from '../service/service.ts'

const EmbeddingsBody = z.looseObject({
  model: z.string().nullish(),
  input: z.union([z.string(), z.array(z.string()), z.array(z.int().min(0)), z.array(z.array(z.int().min(0)))], {
    error: 'expected a text or token ids, or a list of texts or of lists of ids',
  }),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).nullish(),
  truncate: z.boolean().nullish(),
})

const RerankBody = z.looseObject({
  model: z.string().nullish(),
  query: z.string(),
  documents: z.array(z.union([z.string(), z.looseObject({ text: z.string() })])).min(1),
  top_n: z.int().min(1).nullish(),
  return_documents: z.boolean().nullish(),
  truncate: z.boolean().nullish(),
})

export function embeddingEndpoints(service: Service): readonly Endpoint[] {
  const rerank = (path: string) =>
    endpoint({
      method: 'POST',
      path,
      summary: 'Orders documents by how well they answer a query',
      body: RerankBody,
      run: async exchange => {
        const { model, query, top_n: topN, return_documents: returns, truncate } = exchange.body
        const documents = exchange.body.documents.map(one => (typeof one === 'string' ? one : one.text))
        const length = documents.reduce((sum, text) => sum + text.length + query.length, 0)
        return service.use(exchange, model, estimatedTokens(length), async ({ engine, name }) => {
          const options = { ...(topN && { topN }), ...(truncate && { truncate }), signal: exchange.signal }
          const { ranking, usage } = await engine.rerank(query, documents, options)
          return json({
            ...{ id: `rerank-${exchange.id}`, object: 'list', model: name },
            results: ranking.map(({ index, score }) => ({
              index,
              // Between 0 and 1, as the services do.
              relevance_score: 1 / (1 + Math.exp(-score)),
              ...(returns && { document: { text: documents[index] } }),
            })),
            usage: { prompt_tokens: usage.tokens, total_tokens: usage.tokens },
          })
        })
      },
    })
  return [
    endpoint({
      method: 'POST',
      path: '/v1/embeddings',
      summary: 'Texts into vectors',
      body: EmbeddingsBody,
      run: async exchange => {
        const { model, input, encoding_format: format, dimensions, truncate } = exchange.body
        if (input.length === 0) throw invalid('input is empty; expected a text, or a list of texts', 'input')
        const tokens =
          typeof input === 'string' ? tokensOf(input) : input.reduce<number>((n, one) => n + tokensOf(one), 0)
        return service.use(exchange, model, tokens, async ({ engine, name }) => {
          const options = { ...(dimensions && { dimensions }), ...(truncate && { truncate }), signal: exchange.signal }
          const { embeddings, usage } = await engine.embed(input as string | string[], options)
          return json({
            object: 'list',
            data: embeddings.map((vector, index) => ({
              object: 'embedding',
              index,
              embedding: format === 'base64' ? base64(vector) : [...vector],
            })),
            model: name,
            usage: { prompt_tokens: usage.tokens, total_tokens: usage.tokens },
          })
        })
      },
    }),
    rerank('/v1/rerank'),
    rerank('/rerank'),
  ]
}

/** A text by its length; ids are counted. */
function tokensOf(one: string | number | readonly number[]): number {
  if (typeof one === 'number') return 1
  return typeof one === 'string' ? estimatedTokens(one.length) : one.length
}

/** f32, little-endian. */
function base64(vector: Float32Array): string {
  const bytes = new DataView(new ArrayBuffer(vector.length * 4))
  for (const [i, value] of vector.entries()) bytes.setFloat32(i * 4, value, true)
  return Buffer.from(bytes.buffer).toString('base64')
}
