import { bytesOf, type TokenBytes } from './banned-texts.ts'
import { ByteSearch } from './byte-search.ts'
import type { DryOptions } from './options.ts'
import type { TokenRule } from './sampler.ts'

const SEQUENCE_BREAKERS = ['\n', ':', '"', '*']
/** A penalty beyond it changes nothing more; the logit stays finite. */
const MAX_PENALTY = 1e30

/** The penalty of repetitions that `DryOptions` describes. */
export class Dry implements TokenRule {
  readonly #options: Required<DryOptions>
  readonly #context: () => readonly number[]
  readonly #tokens: TokenBytes
  readonly #breakers: ByteSearch
  #state = 0
  /** Tokens after the last one in which a breaker ended. */
  #sinceBreak = 0
  /** Of the last tokens, backwards: how far the tokens before each equal the last ones. */
  #lengths = new Int32Array(0)
  readonly #longest = new Map<number, number>()

  /** `context`: the ids so far, prompt included; they are all accepted, and each that is drawn is. */
  constructor(options: DryOptions, context: () => readonly number[], before: Iterable<number>, tokens: TokenBytes) {
    const { base = 1.75, allowedLength = 2, sequenceBreakers = SEQUENCE_BREAKERS, lastN = Infinity } = options
    this.#options = { multiplier: options.multiplier, base, allowedLength, sequenceBreakers, lastN }
    this.#context = context
    this.#tokens = tokens
    this.#breakers = new ByteSearch(sequenceBreakers.map(text => new TextEncoder().encode(text)))
    for (const id of before) this.accept(id)
  }

  accept(id: number): void {
    this.#sinceBreak++
    this.#state = this.#breakers.run(this.#state, bytesOf(this.#tokens, id), () => {
      this.#sinceBreak = 0
    })
  }

  apply(logits: Float32Array): void {
    const { multiplier, base, allowedLength, lastN } = this.#options
    const ids = this.#context()
    const count = Math.min(ids.length, lastN)
    const limit = Math.min(this.#sinceBreak, count)
    if (limit < allowedLength) return
    this.#measure(ids, count)
    this.#longest.clear()
    for (let back = 1; back < count; back++) {
      const length = Math.min(this.#lengths[back]!, limit)
      const follower = ids[ids.length - back]!
      if (length >= allowedLength && length > (this.#longest.get(follower) ?? 0)) this.#longest.set(follower, length)
    }
    for (const [id, length] of this.#longest) {
      if (id >= logits.length || this.#isBreaker(id)) continue
      let penalty = multiplier
      for (let n = length - allowedLength; n > 0 && base > 1 && penalty > 0 && penalty < MAX_PENALTY; n--)
        penalty *= base
      logits[id]! -= Math.min(penalty, MAX_PENALTY)
    }
  }

  #isBreaker(id: number): boolean {
    const { bytes, starts } = this.#tokens
    return id + 1 < starts.length && this.#breakers.finds(0, bytes, starts[id]!, starts[id + 1]!)
  }

  /** The Z-algorithm over the last `count` ids, read backwards: linear time. */
  #measure(ids: readonly number[], count: number): void {
    if (this.#lengths.length < count) this.#lengths = new Int32Array(2 * count)
    const lengths = this.#lengths
    const last = ids.length - 1
    let [left, right] = [0, 0]
    for (let k = 1; k < count; k++) {
      let length = k < right ? Math.min(lengths[k - left]!, right - k) : 0
      while (k + length < count && ids[last - length] === ids[last - k - length]) length++
      lengths[k] = length
      if (k + length > right) [left, right] = [k, k + length]
    }
  }
}
