import type { Generation } from '../../src/index.ts'
import type { Answer } from './output/stats.ts'

/**
 * Hands over chunks as they come. An aborted signal ends the answer without an error: what came until then is kept,
 * and its reason is `aborted`.
 */
export async function follow(
  generation: Generation,
  signal: AbortSignal,
  seed: number,
  onText: (text: string) => Promise<void> | void,
): Promise<Answer> {
  const tokenIds: number[] = []
  let text = ''
  try {
    for await (const chunk of generation) {
      tokenIds.push(chunk.tokenId)
      text += chunk.text
      await onText(chunk.text)
    }
    return await generation
  } catch (error) {
    if (!signal.aborted) throw error
    return { text, tokenIds, finishReason: 'aborted', seed }
  }
}

/** Chosen here, so that it can be shown whatever happens. */
export function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 32)
}
