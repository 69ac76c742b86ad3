/** What /metrics says of answers is what their client sees. */
import { expect, test } from 'vitest'
import { listening } from './support.ts'

const { server, url } = await listening({})

/** All samples of a metric, without labels but `le`; sums and counts under their own names. */
async function sample(name: string): Promise<number> {
  const text = await (await server.app.request('/metrics')).text()
  const line = text
    .split('\n')
    .find(line => line.startsWith(`latentkit_${name}{`) || line.startsWith(`latentkit_${name} `))
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1))
}

interface Chunk {
  readonly choices: readonly { readonly index: number; readonly text: string }[]
  readonly timings?: { readonly prompt_ms: number; readonly predicted_ms: number }
}

/** Each chunk with the seconds at which it came. */
async function answered(body: object): Promise<{ readonly at: number; readonly chunk: Chunk }[]> {
  const begun = performance.now()
  const more = { stream: true, stream_options: { include_usage: true }, ignore_eos: true }
  const response = await fetch(`${url}/v1/completions`, { method: 'POST', body: JSON.stringify({ ...body, ...more }) })
  const chunks: { at: number; chunk: Chunk }[] = []
  let rest = ''
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const events = (rest + part).split('\n\n')
    rest = events.pop() ?? ''
    for (const event of events) {
      if (!event.startsWith('data: {')) continue
      const chunk = JSON.parse(event.slice('data: '.length)) as Chunk
      chunks.push({ at: (performance.now() - begun) / 1000, chunk })
    }
  }
  return chunks
}

const HISTOGRAMS = [
  'time_to_first_token',
  'inter_token_latency',
  'e2e_request_latency',
  'request_prefill_time',
] as const

test.each([1, 3])('with %i texts at once', async n => {
  const names = [...HISTOGRAMS, 'request_decode_time'] as const
  const read = async () => {
    const made: Record<string, { sum: number; count: number }> = {}
    for (const name of names) {
      made[name] = { sum: await sample(`${name}_seconds_sum`), count: await sample(`${name}_seconds_count`) }
    }
    return made
  }
  const before = await read()
  const chunks = await answered({ prompt: 'Once upon a time', max_tokens: 40, n, temperature: 1, seed: 1 })
  const after = await read()
  const of = (name: (typeof names)[number]) => ({
    sum: (after[name]?.sum ?? 0) - (before[name]?.sum ?? 0),
    count: (after[name]?.count ?? 0) - (before[name]?.count ?? 0),
  })
  const pieces = chunks.filter(({ chunk }) => chunk.choices.some(({ text }) => text !== ''))
  const [first, last] = [pieces[0]?.at ?? 0, chunks.at(-1)?.at ?? 0]
  const timings = chunks.at(-1)?.chunk.timings

  expect(of('time_to_first_token').count).toBe(1)
  expect(of('time_to_first_token').sum).toBeLessThanOrEqual(first)
  expect(of('e2e_request_latency').count).toBe(1)
  expect(of('e2e_request_latency').sum).toBeLessThanOrEqual(last + 0.05)
  // Of each text but its first piece; together they take no longer than all texts one after the other.
  expect(of('inter_token_latency').count).toBe(pieces.length - n)
  expect(of('inter_token_latency').sum).toBeLessThanOrEqual(n * of('e2e_request_latency').sum)
  expect(of('inter_token_latency').sum).toBeGreaterThan(0.5 * n * of('request_decode_time').sum)
  expect(of('request_prefill_time').sum).toBeCloseTo((timings?.prompt_ms ?? 0) / 1000, 5)
  expect(of('request_decode_time').sum).toBeCloseTo((timings?.predicted_ms ?? 0) / 1000, 5)
})

test('a text under way holds its share of the cache, of which there may be eight', async () => {
  expect(await sample('kv_cache_usage_perc')).toBe(0)
  const body = JSON.stringify({ prompt: 'Once', max_tokens: 2000, ignore_eos: true, stream: true })
  const left = new AbortController()
  const response = await fetch(`${url}/v1/completions`, { method: 'POST', body, signal: left.signal })
  expect(response.status).toBe(200)
  const share = expect.poll(() => sample('kv_cache_usage_perc'), { timeout: 60_000 })
  await share.toSatisfy((held: number) => held > 0 && held <= 1 / 8)
  left.abort()
  await share.toBe(0)
})
