import type { TokenRule } from './sampler.ts'

/** Ids that a model's own files ban: each sequence's last id may not follow the others. */
export type BannedIds = readonly (readonly number[])[]

/** Ids that may not come next after `ids`. */
export function bannedAfter(banned: BannedIds, ids: readonly number[]): Set<number> {
  const found = new Set<number>()
  for (const sequence of banned) {
    const from = ids.length - (sequence.length - 1)
    if (from >= 0 && sequence.every((id, i) => i === sequence.length - 1 || ids[from + i] === id)) {
      found.add(sequence.at(-1) as number)
    }
  }
  return found
}

/** Keeps a text from what is banned. */
export class BannedIdRule implements TokenRule {
  readonly #banned: BannedIds
  readonly #ids: number[]

  constructor(banned: BannedIds, before: readonly number[]) {
    this.#banned = banned
    this.#ids = [...before]
  }

  apply(logits: Float32Array): void {
    for (const id of bannedAfter(this.#banned, this.#ids)) if (id < logits.length) logits[id] = Number.NEGATIVE_INFINITY
  }

  accept(id: number): void {
    this.#ids.push(id)
  }
}

/** The text begins with this id. */
export class FirstIdRule implements TokenRule {
  #next: number | null

  constructor(id: number) {
    this.#next = id
  }

  apply(logits: Float32Array): void {
    if (this.#next === null) return
    const logit = logits[this.#next] as number
    logits.fill(Number.NEGATIVE_INFINITY)
    logits[this.#next] = Number.isFinite(logit) ? logit : 0
  }

  accept(): void {
    this.#next = null
  }
}
