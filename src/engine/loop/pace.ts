import { PATH_GRID } from '../../nn/attention/path.ts'

/** Milliseconds that a text waits for its next token while a prompt is read, where a cell of the prompt takes no longer. */
export const GAP_MS = 300

/** Steps that are remembered. */
const KEPT = 4
/** Steps of fewer tokens are as long as it takes to read the weights. */
const MIN_TOKENS = PATH_GRID / 2

/** How fast prompts are read, and so how much of them a step may read. */
export class Pace {
  readonly #msPerToken: number[] = []

  /** A step that read prompts took `ms` for so many tokens. */
  learn(tokens: number, ms: number): void {
    if (tokens < MIN_TOKENS) return
    if (this.#msPerToken.push(ms / tokens) > KEPT) this.#msPerToken.shift()
  }

  /**
   * Tokens of prompts beside texts: what `GAP_MS` allow, in whole cells, one at least. Less would cost more than it gains: the
   * keys before a chunk are up-projected for each. The fastest step counts: others were held up.
   */
  tokensBesideTexts(): number {
    if (this.#msPerToken.length === 0) return PATH_GRID
    return Math.max(1, Math.floor(GAP_MS / Math.min(...this.#msPerToken) / PATH_GRID)) * PATH_GRID
  }
}
