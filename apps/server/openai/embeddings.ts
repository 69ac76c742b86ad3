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

const Documents = z
  .array(z.union([z.string(), z.looseObject({ text: z.string() })], { error: 'expected a text, or { text }' }))
  .min(1)

const RerankBody = z.looseObject({
  model: z.string().nullish(),
  query: z.string(),
  documents: Documents.nullish(),
  /** Text Embeddings Inference's name, in whose form the answer comes then. */
  texts: z.array(z.string()).min(1).nullish(),
  return_text: z.boolean().nullish(),
  raw_scores: z.boolean().nullish(),
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
        const { model, query, texts, top_n: topN, return_documents: returns, truncate } = exchange.body
        const given = exchange.body.documents ?? texts
        if (!given) throw invalid('documents is missing; expected a list of texts', 'documents')
        const documents = given.map(one => (typeof one === 'string' ? one : one.text))
        const length = documents.reduce((sum, text) => sum + text.length + query.length, 0)
        return service.use(exchange, model, estimatedTokens(length), async ({ engine, name }) => {
          const options = { ...(topN && { topN }), ...(truncate && { truncate }), signal: exchange.signal }
          const { ranking, usage } = await engine.rerank(query, documents, options)
          if (given === texts) {
            const { return_text: shows, raw_scores: raw } = exchange.body
            return json(
              ranking.map(({ index, score }) => ({
                ...{ index, score: raw ? score : share(score) },
                ...(shows && { text: documents[index] }),
              })),
            )
          }
          return json({
            ...{ id: `rerank-${exchange.id}`, object: 'list', model: name },
            results: ranking.map(({ index, score }) => ({
              index,
              relevance_score: share(score),
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

/** Between 0 and 1, as the services have it. */
const share = (score: number) => 1 / (1 + Math.exp(-score))

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
