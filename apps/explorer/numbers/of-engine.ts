/** Numbers of an engine, in a page and in Node alike. */
import type { Engine } from '../../../src/browser.ts'
import type { GrowthStep, Numbers } from './numbers.ts'

type Computing = Pick<
  Engine,
  'info' | 'inspect' | 'neighbours' | 'generate' | 'applyChatTemplate' | 'config' | 'session' | 'tokenBytes' | 'dispose'
>

/** `maxBytes`: what all texts that are read may keep; default: the engine's. */
export function numbersOf(engine: Computing, place: Numbers['place'], maxBytes?: number): Numbers {
  return {
    info: engine.info,
    place,
    read: async (text, changes, signal) => {
      const target = engine.info.source && (await written(engine, text, signal))
      return engine.inspect(text, {
        changes,
        ...(target && { target }),
        ...(signal && { signal }),
        ...(maxBytes !== undefined && { maxBytes }),
      })
    },
    neighbours: id => engine.neighbours(id),
    async *answer(prompt, options, signal) {
      for await (const { text } of engine.generate(prompt, { ...options, signal })) yield text
    },
    rendered: messages => engine.applyChatTemplate(messages, { continueFinalMessage: true }),
    config: () => engine.config(),
    grow: (text, steps, signal) => grown(engine, text, steps, signal),
    dispose: () => engine.dispose(),
  }
}

/** Tokens that an encoder-decoder writes of a source at most. */
const MAX_WRITTEN = 64

/** What an encoder-decoder makes of a source, the likeliest token each time. */
async function written(engine: Computing, source: string, signal?: AbortSignal): Promise<readonly number[]> {
  const how = { temperature: 0, maxTokens: MAX_WRITTEN, ...(signal && { signal }) }
  return (await engine.generate(source, how)).tokenIds
}

async function* grown(
  engine: Computing,
  text: string,
  steps: number,
  signal: AbortSignal,
): AsyncGenerator<GrowthStep, void, void> {
  const session = engine.session()
  try {
    let computed = 0
    for (let step = 0; step < steps; step++) {
      // At first the prompt alone, then a token at a time: a session says what it holds when a prompt has ended.
      const maxTokens = step === 0 ? 0 : 1
      const { finishReason } = await session.prompt(step === 0 ? text : '', { maxTokens, temperature: 0, signal })
      const ids = session.tokens.slice(computed, session.cache.tokens)
      computed = session.cache.tokens
      yield { computed: ids, texts: textsOf(await engine.tokenBytes(ids)), cache: session.cache }
      if (finishReason !== 'length') return
    }
  } finally {
    await session.dispose()
  }
}

function textsOf(tokens: readonly Uint8Array[]): string[] {
  return tokens.map(bytes => new TextDecoder().decode(bytes))
}
