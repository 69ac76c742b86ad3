/** Patterns of chosen heads and queries, from the calls of attention that a layer makes. */
import type { Kernels } from '../kernels/contract/kernels.ts'
import { type Tensor, view } from '../tensor/tensor.ts'
import { chainsOf, recordHead, withMemory } from './heads.ts'
import { Measure, type MeasuredText } from './measures.ts'
import { Pool } from './pool.ts'
import type { AttentionQuestion, Span } from './questions.ts'
import type { Sharing } from './sharing.ts'
import type { AttentionMap } from './types.ts'
import type { WatchedLayer } from './watched-layer.ts'

/** Numbers of scores that are computed at once. */
const AT_ONCE = 1 << 22

/** The maps of the question's heads, in their order. */
export async function attentionMaps(
  kernels: Kernels,
  layer: WatchedLayer,
  question: AttentionQuestion,
  measured: MeasuredText,
  work: Sharing,
): Promise<AttentionMap[]> {
  const [from, to] = question.rows
  const { keyCount: keys, window, causal } = layer
  const makers = question.heads.map(head => new MapMaker(layer.index, head, question, keys, measured))
  const seen = visibility(window, causal, keys)
  const heads = Math.max(1, Math.min(question.heads.length, Math.floor(AT_ONCE / keys)))
  const rows = Math.max(1, Math.floor(AT_ONCE / (keys * heads)))
  for (let h = 0; h < question.heads.length; h += heads) {
    const group = makers.slice(h, h + heads)
    for (let t = from; t < to; t += rows) {
      const span: Span = [t, Math.min(t + rows, to)]
      const piece = await work.turn(() =>
        scorePiece(
          kernels,
          layer,
          question,
          group.map(m => m.head),
          span,
          keys,
          work.pause,
        ),
      )
      for (const [i, maker] of group.entries()) maker.add(span, piece, i, seen)
      await work.pause()
    }
  }
  return makers.map(maker => maker.finish())
}

/** The keys that a query sees: first and last. */
type Visible = (t: number) => readonly [first: number, last: number]

function visibility(window: number | null, causal: boolean, keys: number): Visible {
  return t => (causal ? [Math.max(0, window === null ? 0 : t - window + 1), t] : [0, keys - 1])
}

/** f32 [heads, queries, keys]; what is not seen may hold anything. */
interface Piece {
  readonly scores: Float32Array | null
  readonly probabilities: Float32Array | null
}

async function scorePiece(
  kernels: Kernels,
  layer: WatchedLayer,
  question: Pick<AttentionQuestion, 'scores' | 'probabilities' | 'pool' | 'measures'>,
  heads: readonly number[],
  [from, to]: Span,
  keys: number,
  pause: () => Promise<void>,
): Promise<Piece> {
  const n = to - from
  const needsProbabilities = question.probabilities || question.measures || question.pool > 0
  return withMemory(kernels, async take => {
    const scores = take([heads.length, n, keys])
    const probabilities = needsProbabilities ? (question.scores ? take([heads.length, n, keys]) : scores) : null
    for (const { calls, from: a, to: b } of chainsOf(layer, [from, to])) {
      for (const [i, head] of heads.entries()) {
        const place = (t: Tensor) => view(t, (i * n + a - from) * keys, [1, b - a, keys], [n * keys, keys, 1])
        const { lse } = recordHead(kernels, take, calls, head, [a, b], place(scores))
        if (probabilities) kernels.probabilities(place(probabilities), place(scores), lse)
      }
    }
    await kernels.submit(pause)
    const read = async (t: Tensor | null) => t && ((await kernels.memory.read(t)) as Float32Array)
    return { scores: question.scores ? await read(scores) : null, probabilities: await read(probabilities) }
  })
}

/** One head's map, as its rows come. */
class MapMaker {
  readonly head: number
  readonly #layer: number
  readonly #question: AttentionQuestion
  readonly #keys: number
  readonly #probabilities: Float32Array | null
  readonly #scores: Float32Array | null
  readonly #pool: Pool | null
  readonly #measure: Measure | null

  constructor(layer: number, head: number, question: AttentionQuestion, keys: number, text: MeasuredText) {
    const rows = question.rows[1] - question.rows[0]
    this.#layer = layer
    this.head = head
    this.#question = question
    this.#keys = keys
    this.#probabilities = question.probabilities ? new Float32Array(rows * keys) : null
    this.#scores = question.scores ? new Float32Array(rows * keys).fill(Number.NEGATIVE_INFINITY) : null
    this.#pool = question.pool > 0 ? new Pool(rows, keys, question.pool, question.pooling) : null
    this.#measure = question.measures ? new Measure(text) : null
  }

  add([from, to]: Span, piece: Piece, at: number, visible: Visible): void {
    const keys = this.#keys
    for (let t = from; t < to; t++) {
      const [first, last] = visible(t)
      const source = (at * (to - from) + t - from) * keys
      const row = t - this.#question.rows[0]
      const copy = (into: Float32Array | null, all: Float32Array | null) => {
        if (into && all) into.set(all.subarray(source + first, source + last + 1), row * keys + first)
      }
      copy(this.#probabilities, piece.probabilities)
      copy(this.#scores, piece.scores)
      if (!piece.probabilities) continue
      this.#pool?.add(row, piece.probabilities, source, first, last)
      if (this.#measure) {
        // What is not seen may hold anything.
        piece.probabilities.fill(0, source, source + first)
        piece.probabilities.fill(0, source + last + 1, source + keys)
        this.#measure.add(t, piece.probabilities, source)
      }
    }
  }

  finish(): AttentionMap {
    const [from, to] = this.#question.rows
    return {
      layer: this.#layer,
      head: this.head,
      start: from,
      rows: to - from,
      keys: this.#keys,
      ...(this.#probabilities && { probabilities: this.#probabilities }),
      ...(this.#scores && { scores: this.#scores }),
      ...(this.#pool && { pooled: this.#pool.finish() }),
      ...(this.#measure && { measures: this.#measure.result }),
    }
  }
}
