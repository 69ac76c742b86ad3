/** The engine without a server, asked for the same. */
import type { Engine } from '../../src/index.ts'
import type { Ask } from './traffic.ts'

export function inProcess(engine: Engine): Ask {
  return async ({ prompt, tokens: maxTokens }, begun) => {
    const start = performance.now()
    const pieces: number[] = []
    const generation = engine.generate(prompt, { maxTokens, temperature: 0, ignoreEos: true })
    for await (const { text } of generation) {
      if (text !== '' && pieces.push(performance.now() - start) === 1) begun?.()
    }
    const { usage } = await generation
    return { pieces, tokens: usage.completionTokens, promptTokens: usage.promptTokens }
  }
}
