import { type AnswerTurn, type Conversation, newId, withChangedTurn, withTurn } from '../talk/conversation.ts'
import { streamAnswer } from '../wire/answer.ts'
import type { Failure } from '../wire/failure.ts'
import { LiveAnswer } from './live.ts'

/** How often an arriving answer is stored, in milliseconds: a closed page loses no more. */
const STORE_EVERY = 1000

interface Run {
  /** The conversation with the answer as it was last stored. */
  conversation: Conversation
  live: LiveAnswer
  abort: AbortController
}

/** The answers that arrive, one per conversation at most. What arrived is kept, however an answer ends. */
export class Answering {
  readonly #runs = new Map<string, Run>()
  readonly #keep: (conversation: Conversation) => void

  /** `keep` receives each new state of a conversation. */
  constructor(keep: (conversation: Conversation) => void) {
    this.#keep = keep
    addEventListener('pagehide', () => {
      for (const run of this.#runs.values()) this.#store(run)
    })
  }

  ids(): ReadonlySet<string> {
    return new Set(this.#runs.keys())
  }

  conversation(id: string): Conversation | undefined {
    return this.#runs.get(id)?.conversation
  }

  live(turnId: string): LiveAnswer | undefined {
    return [...this.#runs.values()].find(run => run.live.turn.id === turnId)?.live
  }

  /** Takes over a conversation that was changed elsewhere, such as its title. */
  adopt(conversation: Conversation): void {
    const run = this.#runs.get(conversation.id)
    if (run !== undefined) run.conversation = conversation
  }

  stop(id: string): void {
    this.#runs.get(id)?.abort.abort()
  }

  /** Stops, and stores nothing more. */
  drop(id: string): void {
    this.stop(id)
    this.#runs.delete(id)
  }

  /** Writes the answer that follows `parent`, or goes on with what `begun` has of it. Resolves when it has ended, with its failure if it has failed. */
  async ask(
    conversation: Conversation,
    parent: string | null,
    model: string,
    body: object,
    key: string,
    begun: Pick<AnswerTurn, 'text' | 'reasoning'> = { text: '', reasoning: '' },
  ): Promise<Failure | undefined> {
    const { text, reasoning } = begun
    const place = { id: newId(), parent, model }
    const turn: AnswerTurn = { ...place, role: 'answer', text, reasoning, calls: [], counts: {}, state: 'arriving' }
    const live = new LiveAnswer(turn)
    const run: Run = { conversation: withTurn(conversation, turn, Date.now()), live, abort: new AbortController() }
    this.#runs.set(conversation.id, run)
    this.#keep(run.conversation)
    const timer = setInterval(() => this.#store(run), STORE_EVERY)
    try {
      for await (const piece of streamAnswer(body, key, run.abort.signal)) live.take(piece)
      this.#end(run, { state: 'done' })
      return undefined
    } catch (cause) {
      if (run.abort.signal.aborted) {
        this.#end(run, { state: 'stopped' })
        return undefined
      }
      const failure = cause as Failure
      this.#end(run, { state: 'failed', failure: { kind: failure.kind, message: failure.message } })
      return failure
    } finally {
      clearInterval(timer)
    }
  }

  #end(run: Run, change: Partial<AnswerTurn>): void {
    run.live.end(change)
    const { id } = run.conversation
    if (this.#runs.get(id) !== run) return
    run.conversation = withChangedTurn(run.conversation, run.live.turn)
    this.#runs.delete(id)
    this.#keep(run.conversation)
  }

  #store(run: Run): void {
    if (this.#runs.get(run.conversation.id) !== run) return
    run.conversation = withChangedTurn(run.conversation, run.live.turn)
    this.#keep(run.conversation)
  }
}
