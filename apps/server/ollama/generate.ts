/** /api/generate: a prompt in the model's template, a raw text, or a gap to be filled. */
import type { Ask } from '../answers/ask.ts'
import { invalid } from '../failure.ts'
import { type Endpoint, endpoint } from '../http/dialect.ts'
import type { Service } from '../service/service.ts'
import { answerLines, type Piece } from './answer-lines.ts'
import { readQuestion, readThink, refuseImages } from './read-options.ts'
import { GenerateBody } from './request.ts'

export function generateEndpoint(service: Service): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/api/generate',
    summary: 'Answers a prompt, as Ollama does',
    body: GenerateBody,
    run: exchange => {
      const { body } = exchange
      const { prompt } = body
      const question = prompt ? readQuestion(body, readInput(body, prompt)) : null
      return answerLines(service, exchange, question, response)
    },
  })
}

function readInput(
  { raw, suffix, system, template, context, images, think }: GenerateBody,
  prompt: string,
): Ask['input'] {
  refuseImages(images, 'images')
  if (template) throw invalid("template is not read; expected none: the model's own is used, or raw: true", 'template')
  if (context && context.length > 0) {
    throw invalid('context is not read; expected the earlier messages, sent to /api/chat', 'context')
  }
  if (system && (raw || suffix)) {
    const beside = raw ? 'raw' : 'suffix'
    throw invalid(`system is not read beside ${beside}; expected it in the prompt, or none`, 'system')
  }
  if (suffix) return { kind: 'infill', prefix: prompt, suffix }
  if (raw) return { kind: 'text', prompt }
  const said = { role: 'user', content: prompt } as const
  const messages = system ? [{ role: 'system', content: system } as const, said] : [said]
  return { kind: 'chat', messages, ...readThink(think) }
}

function response({ text, thinking }: Piece) {
  return { response: text, ...(thinking && { thinking }) }
}
