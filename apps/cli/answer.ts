import type { Answer } from './output/stats.ts'

/** An answer that is being written: its text as it comes, and the whole. */
export interface Telling
  extends AsyncIterable<{ readonly text: string; readonly tokenId?: number }>,
    PromiseLike<Answer> {}

/**
 * Passes on chunks as they arrive. An aborted signal ends the answer without an error: the text so far is returned, with
 * the finish reason `aborted`.
 */
export async function follow(
  generation: Telling,
  signal: AbortSignal,
  seed: number,
  onText: (text: string) => Promise<void> | void,
): Promise<Answer> {
  const tokenIds: number[] = []
  let text = ''
  try {
    for await (const chunk of generation) {
      if (chunk.tokenId !== undefined) tokenIds.push(chunk.tokenId)
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
