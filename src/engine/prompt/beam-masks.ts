import type { MaskedText } from '../../grammar/thread/masked-text.ts'
import type { Beam } from '../../sampling/beam-search.ts'
import { forbid } from '../loop/text-mask.ts'

/** The ids that beams may take next: a text under the grammar for each living one, which it forks from its parent's. */
export class BeamMasks {
  /** When the grammar is compiled. */
  readonly #opening: Promise<MaskedText>
  readonly #firstId: number | undefined
  /** By the living beams' order. */
  #texts: readonly MaskedText[] | null = null
  #closed = false

  /** `firstId`: what texts have to begin with, before the grammar; undefined: it begins at once. */
  constructor(opening: Promise<MaskedText>, firstId: number | undefined) {
    this.#opening = opening
    this.#firstId = firstId
    opening.then(
      text => {
        if (this.#closed) text.close()
        else text.request({})
      },
      // `apply` throws it.
      () => {},
    )
  }

  /** Sets the logits [vocab] of what each beam may not take to -Infinity. Throws GrammarError. */
  async apply(living: readonly Beam[], logits: readonly Float32Array[]): Promise<void> {
    this.#texts ??= [await this.#opening]
    if (this.#firstId !== undefined && living[0]?.ids.length === 0) return
    const masks = await Promise.all(this.#texts.map(text => text.next()))
    for (const i of living.keys()) forbid(masks[i]!.rows[0] as Uint32Array, logits[i] as Float32Array)
  }

  /** The search has chosen: requests the masks of its living beams, beside the step that runs them. */
  advance(living: readonly Beam[]): void {
    const before = this.#texts ?? []
    this.#texts = living.map(({ parent, ids }) => {
      const text = (before[parent] as MaskedText).fork()
      const isFirst = ids.length === 1 && ids[0] === this.#firstId
      text.request(isFirst ? {} : { ids: ids.slice(-1) })
      return text
    })
    for (const text of before) text.close()
  }

  close(): void {
    this.#closed = true
    for (const text of this.#texts ?? []) text.close()
    if (!this.#texts) this.#opening.then(text => text.close()).catch(() => {})
  }
}
