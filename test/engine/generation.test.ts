import { describe, expect, it } from 'vitest'
import { GenerationStream } from '../../src/engine/wire/generation.ts'
import type { Chunk, Completion } from '../../src/index.ts'

const completion = (text: string): Completion => ({
  text,
  tokenIds: [],
  finishReason: 'stop',
  usage: { promptTokens: 0, cachedTokens: 0, completionTokens: 0, draftTokens: 0, acceptedTokens: 0 },
  timings: { firstTokenMs: 0, promptMs: 0, generationMs: 0, promptTokensPerSecond: 0, tokensPerSecond: 0 },
  seed: 0,
})

async function texts(chunks: AsyncIterable<Chunk>): Promise<string[]> {
  const all: string[] = []
  for await (const { text } of chunks) all.push(text)
  return all
}

describe('GenerationStream', () => {
  it('can be iterated, awaited, and both, in any order and again', async () => {
    const stream = new GenerationStream(() => {})
    const first = texts(stream)
    stream.push([
      { text: 'a', tokenId: 1 },
      { text: 'b', tokenId: 2 },
    ])
    await new Promise(resolve => setImmediate(resolve))
    stream.push([{ text: 'c', tokenId: 3 }])
    stream.finish(completion('abc'))
    expect(await first).toEqual(['a', 'b', 'c'])
    expect((await stream).text).toBe('abc')
    expect(await texts(stream)).toEqual(['a', 'b', 'c'])
    expect((await stream).text).toBe('abc')
  })

  it('gives the chunks before the error', async () => {
    const stream = new GenerationStream(() => {})
    stream.push([{ text: 'a', tokenId: 1 }])
    stream.fail(new Error('lost'))
    const seen: string[] = []
    const run = async () => {
      for await (const { text } of stream) seen.push(text)
    }
    await expect(run()).rejects.toThrow('lost')
    await expect(stream).rejects.toThrow('lost')
    expect(seen).toEqual(['a'])
  })

  it('is cancelled by leaving the loop, which waits for the end', async () => {
    let cancelled = 0
    const stream: GenerationStream = new GenerationStream(() => {
      cancelled++
      setImmediate(() => stream.finish(completion('a')))
    })
    stream.push([
      { text: 'a', tokenId: 1 },
      { text: 'b', tokenId: 2 },
    ])
    for await (const _ of stream) break
    expect(cancelled).toBe(1)
    expect((await stream).text).toBe('a')
  })

  it('does not cancel what has ended', async () => {
    const stream = new GenerationStream(() => expect.unreachable())
    stream.push([
      { text: 'a', tokenId: 1 },
      { text: 'b', tokenId: 2 },
    ])
    stream.finish(completion('ab'))
    for await (const _ of stream) break
  })
})
