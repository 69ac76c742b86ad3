import type { Generation } from '../../src/index.ts'
import type { Answer } from './output/stats.ts'

/**
 * Passes on chunks as they arrive. An aborted signal ends the answer without an error: the text so far is returned, with
 * the finish reason `aborted`.
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

/** Chosen here and not by the engine, so that it can be shown even if the answer fails. */
export function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 32)
}
