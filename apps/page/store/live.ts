import type { AnswerTurn } from '../talk/conversation.ts'
import type { Piece } from '../wire/answer.ts'

/**
 * An answer while it arrives. Pieces are taken at once; those who watch see the new state once per frame, and only they
 * are drawn again, not the conversation.
 */
export class LiveAnswer {
  #turn: AnswerTurn
  readonly #begun = performance.now()
  #reasoningBegun: number | undefined
  /** Pieces of text since the first one: about as many as tokens. */
  #pieces = 0
  #promptRead = 0
  #firstAt = 0
  readonly #watchers = new Set<() => void>()
  #scheduled = false

  constructor(turn: AnswerTurn) {
    this.#turn = turn
  }

  get turn(): AnswerTurn {
    return this.#turn
  }

  /** How much of the prompt has been read, from 0 to 1. */
  get promptRead(): number {
    return this.#promptRead
  }

  /** Calls `watcher` after changes, once per frame at most, until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  take(piece: Piece): void {
    const turn = this.#turn
    const now = performance.now()
    if (piece.kind !== 'counts' && piece.kind !== 'progress' && turn.firstMs === undefined) {
      this.#firstAt = now
      this.#change({ firstMs: now - this.#begun })
    }
    if (piece.kind === 'text' || piece.kind === 'reasoning' || piece.kind === 'call') this.#pieces++
    switch (piece.kind) {
      case 'text':
        this.#endReasoning(now)
        this.#change({ text: turn.text + piece.text })
        break
      case 'reasoning':
        this.#reasoningBegun ??= now
        this.#change({ reasoning: turn.reasoning + piece.text })
        break
      case 'call':
        this.#endReasoning(now)
        this.#change({ calls: withPiece(turn.calls, piece) })
        break
      case 'finish':
        this.#change({ finish: piece.reason })
        break
      case 'progress':
        this.#promptRead = piece.read
        this.#change({})
        break
      case 'counts':
        this.#change({ counts: { ...turn.counts, ...piece.counts } })
    }
  }

  /** Tokens per second so far: the server's, or counted here; undefined before there are enough. */
  rate(): number | undefined {
    const { rate, answerTokens } = this.#turn.counts
    if (rate !== undefined) return rate
    const seconds = (performance.now() - this.#firstAt) / 1000
    if (answerTokens !== undefined) return answerTokens > 1 && seconds > 0 ? (answerTokens - 1) / seconds : undefined
    return this.#pieces > 4 && seconds > 0.2 ? (this.#pieces - 1) / seconds : undefined
  }

  /** The turn as it is to be kept. */
  end(change: Partial<AnswerTurn>): AnswerTurn {
    this.#endReasoning(performance.now())
    const rate = this.rate()
    const counts = rate === undefined ? this.#turn.counts : { ...this.#turn.counts, rate }
    this.#change({ ...change, counts, totalMs: performance.now() - this.#begun })
    return this.#turn
  }

  #endReasoning(now: number): void {
    if (this.#reasoningBegun === undefined || this.#turn.reasonedMs !== undefined) return
    this.#change({ reasonedMs: now - this.#reasoningBegun })
  }

  #change(change: Partial<AnswerTurn>): void {
    this.#turn = { ...this.#turn, ...change }
    if (this.#scheduled) return
    this.#scheduled = true
    const show = () => {
      this.#scheduled = false
      for (const watcher of this.#watchers) watcher()
    }
    // A hidden tab has no frames.
    if (document.hidden) setTimeout(show, 500)
    else requestAnimationFrame(show)
  }
}

function withPiece(calls: AnswerTurn['calls'], piece: Piece & { kind: 'call' }): AnswerTurn['calls'] {
  const before = calls[piece.index] ?? { id: piece.id ?? `call_${piece.index}`, name: '', arguments: '' }
  const after = {
    id: piece.id || before.id,
    name: piece.name || before.name,
    arguments: before.arguments + piece.arguments,
  }
  const changed = [...calls]
  // An index beyond the next one would leave holes.
  changed[Math.min(piece.index, calls.length)] = after
  return changed
}
