/** The pattern of one head: whole where it is small, else reduced to what a screen shows, with single rows in full. */
import type { PatternPixels } from '../../drawing/attention-image.ts'
import { useAnswer } from '../../state/use-answer.ts'
import type { Attending } from './attending.ts'
import { first } from './first.ts'

/** Up to here a pattern is asked for whole. */
const MAX_WHOLE = 512

export interface OneHead {
  readonly reading: Attending
  readonly layer: number
  readonly head: number
  readonly pixels: PatternPixels
  /** Probabilities of every query; undefined where single rows are asked for. */
  readonly whole: Float32Array | undefined
}

/** Stays the last one until the next is there. */
export function useOneHead(reading: Attending, layer: number, head: number): OneHead | undefined {
  return useAnswer(signal => first(() => oneHead(reading, layer, head, signal)), [reading, layer, head])
}

/** What one query looks at. */
export function useRow(one: OneHead | undefined, query: number): Float32Array | undefined {
  const keys = one?.reading.keys.length ?? 0
  const asked = useAnswer(signal => first(() => rowOf(one, query, signal)), [one, query])
  return one?.whole ? one.whole.subarray(query * keys, (query + 1) * keys) : asked
}

async function oneHead(reading: Attending, layer: number, head: number, signal: AbortSignal): Promise<OneHead> {
  const [height, width] = [reading.tokens.length, reading.keys.length]
  const where = { layers: [layer], heads: [head], signal }
  const place = { reading, layer, head }
  for await (const { probabilities, pooled } of reading.attention(
    Math.max(height, width) <= MAX_WHOLE ? where : { ...where, pool: MAX_WHOLE },
  )) {
    if (pooled) return { ...place, pixels: pooled, whole: undefined }
    if (probabilities) return { ...place, pixels: { height, width, values: probabilities }, whole: probabilities }
  }
  throw new Error('the engine gave no pattern')
}

async function rowOf(one: OneHead | undefined, query: number, signal: AbortSignal): Promise<Float32Array | undefined> {
  if (one === undefined || one.whole !== undefined) return undefined
  const where = { layers: [one.layer], heads: [one.head], rows: [query, query + 1], signal }
  for await (const { probabilities } of one.reading.attention(where)) return probabilities
  return undefined
}
