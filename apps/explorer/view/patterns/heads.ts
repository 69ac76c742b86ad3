/** The patterns of all heads, reduced to thumbnails, as they are computed. */
import { useEffect, useState } from 'preact/hooks'
import type { AttentionMap, HeadMeasures } from '../../../../src/browser.ts'
import type { Attending } from './attending.ts'
import { whenQuiet } from './first.ts'

export interface HeadPattern {
  readonly layer: number
  readonly head: number
  /** Of attention to the text itself. */
  readonly measures: HeadMeasures | undefined
  readonly height: number
  readonly width: number
  /** Probabilities; each the largest of those that it stands for. */
  readonly values: Float32Array
}

export const MEASURES = {
  previous: { label: 'previous token', about: 'looks at the token just before' },
  first: { label: 'first token', about: 'rests on the first token, when it finds nothing' },
  induction: { label: 'induction', about: 'looks at what followed the same token earlier' },
  sameWord: { label: 'same word', about: 'looks at earlier occurrences of the same word' },
} as const

export type MeasureName = keyof typeof MEASURES

/** Finer than a thumbnail is drawn on most screens. */
const POOL = 48
/** Texts of more tokens are long. */
const LONG = 1024
/** Patterns that arrive are shown this often. */
const SHOWN_EVERY_MS = 100

export interface HeadsState {
  readonly heads: readonly HeadPattern[]
  readonly done: boolean
}

/** Those of an earlier text until the first of this one are there. What the model refuses is thrown while the view is drawn. */
export function useHeads(reading: Attending): HeadsState {
  const [state, setState] = useState<HeadsState>({ heads: [], done: false })
  const [problem, setProblem] = useState<Error>()
  useEffect(() => {
    const stop = new AbortController()
    setProblem(undefined)
    setState(({ heads }) => ({ heads, done: false }))
    collect(reading, stop.signal, setState).catch((cause: Error) => {
      // Of a text that gives way to another.
      if (!stop.signal.aborted && cause.name !== 'DisposedError') setProblem(cause)
    })
    return () => stop.abort()
  }, [reading])
  if (problem !== undefined) throw problem
  return state
}

async function collect(reading: Attending, signal: AbortSignal, show: (state: HeadsState) => void): Promise<void> {
  const heads: HeadPattern[] = []
  let shown = performance.now()
  for await (const { layer, head, measures, pooled } of patternsOf(reading, signal)) {
    if (signal.aborted) return
    if (pooled === undefined) continue
    heads.push({ layer, head, measures, ...pooled })
    if (performance.now() - shown < SHOWN_EVERY_MS) continue
    shown = performance.now()
    show({ heads: [...heads], done: false })
  }
  if (!signal.aborted) show({ heads, done: true })
}

/** Of a long text each head takes so long that one who looks closely at another must not wait for all of a layer. */
async function* patternsOf(reading: Attending, signal: AbortSignal): AsyncGenerator<AttentionMap, void, void> {
  const asked = { pool: POOL, measures: reading.direction !== 'cross', signal }
  if (Math.max(reading.tokens.length, reading.keys.length) <= LONG) return yield* reading.attention(asked)
  for (const { layer, heads } of reading.layers) {
    for (let head = 0; head < heads; head++) {
      await whenQuiet()
      yield* reading.attention({ ...asked, layers: [layer], heads: [head] })
    }
  }
}

/** By layer and head, or the highest measure first; heads without one last. */
export function sorted(heads: readonly HeadPattern[], by: MeasureName | undefined): readonly HeadPattern[] {
  if (by === undefined) return heads
  return [...heads].sort((a, b) => (b.measures?.[by] ?? -1) - (a.measures?.[by] ?? -1))
}
