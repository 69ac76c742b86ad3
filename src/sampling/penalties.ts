import { OptionError } from '../errors.ts'
import type { ResolvedOptions } from './options.ts'

/**
 * The input of penalties: the set of the prompt's tokens, and how often the answer has each token. Tokens are counted when a
 * penalty asks for them, each once: neither a long prompt nor a long answer costs anything per step.
 */
export class TokenHistory {
  /** The distinct tokens of the prompt. */
  readonly prompt: ReadonlySet<number>
  /** The answer's tokens since `before`, which the caller adds as they are drawn. */
  readonly answer: number[] = []
  readonly #counts: Map<number, number>
  #counted = 0

  /** `before`: how often the answer has which tokens already. */
  constructor(prompt: Iterable<number> = [], before: Iterable<readonly [number, number]> = []) {
    this.prompt = new Set(prompt)
    this.#counts = new Map(before)
  }

  /** Number of occurrences by token of the answer. */
  get counts(): ReadonlyMap<number, number> {
    this.#count()
    return this.#counts
  }

  #count(): void {
    for (; this.#counted < this.answer.length; this.#counted++) {
      const id = this.answer[this.#counted]!
      this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1)
    }
  }

  /** The answer is now its first `keep` tokens, then `tail`. What was drawn stays counted. */
  cut(keep: number, tail: readonly number[]): void {
    this.#count()
    this.answer.splice(keep, this.answer.length, ...tail)
    this.#counted = this.answer.length
  }
}

/** Whether any of these options changes logits. */
export function changesLogits(options: ResolvedOptions): boolean {
  const { biasIds, repetitionPenalty, presencePenalty, frequencyPenalty } = options
  return biasIds.length > 0 || repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0
}

/** Applies bias and penalties to `logits`. */
export function adjustLogits(logits: Float32Array, options: ResolvedOptions, history: TokenHistory | undefined): void {
  const { biasIds, biases, repetitionPenalty, presencePenalty, frequencyPenalty } = options
  for (const [i, id] of biasIds.entries()) {
    if (id >= logits.length) throw new OptionError(`logitBias has the id ${id}; expected one below ${logits.length}`)
    logits[id]! += biases[i]!
  }
  if (history === undefined) return
  if (repetitionPenalty !== 1) {
    for (const id of history.prompt) penalise(logits, id, repetitionPenalty)
    for (const id of history.counts.keys()) if (!history.prompt.has(id)) penalise(logits, id, repetitionPenalty)
  }
  if (presencePenalty !== 0 || frequencyPenalty !== 0) {
    for (const [id, count] of history.counts) {
      if (id < logits.length) logits[id]! -= presencePenalty + count * frequencyPenalty
    }
  }
}

/** Beyond it a penalty changes nothing more: an infinite logit would forbid a token, or look like the model's own overflow. */
const LARGEST = 1e30

function penalise(logits: Float32Array, id: number, penalty: number): void {
  if (id >= logits.length) return
  const logit = logits[id]!
  // What is forbidden stays so, and what has overflowed is reported.
  if (!Number.isFinite(logit)) return
  logits[id] = Math.max(-LARGEST, Math.min(logit > 0 ? logit / penalty : logit * penalty, LARGEST))
}
