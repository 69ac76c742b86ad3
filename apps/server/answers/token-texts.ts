/** Drawn tokens with their texts and bytes, as log-probabilities show them. */
import type { Engine, Logprobs } from '../../../src/index.ts'
import type { DrawnToken } from './events.ts'

interface TokenText {
  readonly text: string
  readonly bytes: Uint8Array
}

/** Texts of tokens, asked of the engine once each. */
export class TokenTexts {
  readonly #engine: Pick<Engine, 'tokenBytes'>
  readonly #known = new Map<number, TokenText>()

  constructor(engine: Pick<Engine, 'tokenBytes'>) {
    this.#engine = engine
  }

  async of(ids: readonly number[]): Promise<readonly TokenText[]> {
    const unknown = [...new Set(ids)].filter(id => !this.#known.has(id))
    if (unknown.length > 0) {
      const found = await this.#engine.tokenBytes(unknown)
      for (const [i, id] of unknown.entries()) {
        const bytes = found[i] ?? new Uint8Array(0)
        this.#known.set(id, { bytes, text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes) })
      }
    }
    return ids.map(id => this.#known.get(id) as TokenText)
  }

  async drawn(given: readonly Logprobs[]): Promise<DrawnToken[]> {
    await this.of(given.flatMap(({ id, top }) => [id, ...top.map(other => other.id)]))
    const chance = ({ id, logprob }: { readonly id: number; readonly logprob: number }) => ({
      ...{ id, logprob },
      ...(this.#known.get(id) as TokenText),
    })
    return given.map(token => ({ ...chance(token), top: token.top.map(chance) }))
  }
}
