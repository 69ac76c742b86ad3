/** Text to tokens and back: /tokenize, /detokenize. */
import { z } from 'zod'
import { invalid } from '../failure.ts'
import { type Endpoint, endpoint } from '../http/dialect.ts'
import { json } from '../http/respond.ts'
import { estimatedTokens } from '../service/estimate.ts'
import type { Service } from '../service/service.ts'

const TokenizeBody = z.looseObject({
  model: z.string().nullish(),
  /** llama.cpp's name. */
  content: z.string().nullish(),
  /** vLLM's name. */
  prompt: z.string().nullish(),
  add_special: z.boolean().nullish(),
  add_special_tokens: z.boolean().nullish(),
  parse_special: z.boolean().nullish(),
  with_pieces: z.boolean().nullish(),
})

const DetokenizeBody = z.looseObject({ model: z.string().nullish(), tokens: z.array(z.int().min(0)) })

export function tokenEndpoints(service: Service): readonly Endpoint[] {
  return [
    endpoint({
      method: 'POST',
      path: '/tokenize',
      summary: 'Text into tokens',
      body: TokenizeBody,
      run: async exchange => {
        const { body } = exchange
        const text = body.content ?? body.prompt
        if (text === null || text === undefined) {
          const why = body.messages ? '; /apply-template makes one of messages' : ''
          throw invalid(`content is missing; expected a text${why}`, 'content')
        }
        const addSpecialTokens = body.add_special ?? body.add_special_tokens ?? false
        return service.use(exchange, body.model, estimatedTokens(text.length), async ({ engine, texts }) => {
          const ids = await engine.tokenize(text, { addSpecialTokens, parseSpecial: body.parse_special ?? true })
          const { contextLength } = engine.info
          if (!body.with_pieces) return json({ tokens: ids, count: ids.length, max_model_len: contextLength })
          const pieces = await texts.of(ids)
          return json({
            tokens: ids.map((id, i) => {
              const piece = pieces[i]
              const whole = piece && !piece.text.includes('\ufffd')
              // A part of a character is no text.
              return { id, piece: whole ? piece.text : [...(piece?.bytes ?? [])] }
            }),
          })
        })
      },
    }),
    endpoint({
      method: 'POST',
      path: '/detokenize',
      summary: 'Tokens into text',
      body: DetokenizeBody,
      run: async exchange => {
        const { tokens, model } = exchange.body
        return service.use(exchange, model, tokens.length, async ({ engine }) => {
          const { vocabSize } = engine.info
          const at = tokens.findIndex(id => id >= vocabSize)
          if (at >= 0) throw invalid(`tokens[${at}] is ${tokens[at]}; expected an id below ${vocabSize}`, 'tokens')
          const text = await engine.detokenize(tokens)
          return json({ content: text, prompt: text })
        })
      },
    }),
  ]
}
