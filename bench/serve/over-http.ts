/** A client of /v1/completions, which both servers speak: streams, and notes when each piece of text came. */
import { Agent, type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import type { BenchRequest } from './requests.ts'
import type { Answered, Ask } from './traffic.ts'

interface Chunk {
  readonly choices?: readonly { readonly text?: string }[]
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null
  readonly error?: unknown
}

/** A connection for each request: llama-server closes a stream's connection without saying so before. */
export function overHttp(url: string): Ask {
  const agent = new Agent({ keepAlive: false })
  return (asked, begun) => send(url, agent, asked, begun)
}

async function send(
  url: string,
  agent: Agent,
  { prompt, tokens }: BenchRequest,
  begun?: () => void,
): Promise<Answered> {
  const body = JSON.stringify({
    ...{ prompt, max_tokens: tokens, temperature: 0, ignore_eos: true, cache_prompt: true },
    ...{ stream: true, stream_options: { include_usage: true } },
  })
  const start = performance.now()
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    request(`${url}/v1/completions`, { method: 'POST', agent, headers }, resolve).on('error', reject).end(body)
  })
  const pieces: number[] = []
  let usage: Chunk['usage'] = null
  for await (const line of createInterface(response)) {
    if (response.statusCode !== 200) throw new Error(`${url} answered ${response.statusCode}: ${line}`)
    if (!line.startsWith('data: {')) continue
    const chunk = JSON.parse(line.slice('data: '.length)) as Chunk
    if (chunk.error) throw new Error(`${url} broke off: ${line}`)
    if (chunk.choices?.some(({ text }) => text) && pieces.push(performance.now() - start) === 1) begun?.()
    usage = chunk.usage ?? usage
  }
  if (!usage) throw new Error(`${url} ended an answer without its usage`)
  return { pieces, tokens: usage.completion_tokens, promptTokens: usage.prompt_tokens }
}
