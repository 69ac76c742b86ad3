/** The model that is converted, as it runs: loaded when something has to be read. */
import { loadInNode } from '../engine/host/node/platform.ts'
import type { Parts } from '../engine/load/load-parts.ts'
import { isHealed } from './check.ts'
import type { LatentifyOptions } from './options.ts'
import { calibrationText, packagedText } from './text.ts'
import { cutText, type TextWindows } from './windows.ts'

/** Tokens of a window. */
const WINDOW = 512
const TOKENS = 32_768
const HELD = 16
/** Of a text to learn from, at most: hours of it. */
const HEALING_TOKENS = 1 << 20

/** What decides which tokens are read, for the identity of what is done so far. */
export function readingOf({
  calibrate = packagedText(),
  calibrationTokens = TOKENS,
  measure = HELD,
}: LatentifyOptions) {
  return { calibrate, calibrationTokens, measure }
}

/** Tokens of a window, for a model that was made for so many. */
export function windowOf(maxPositions: number): number {
  return Math.min(WINDOW, maxPositions)
}

export class Original {
  readonly #path: string
  readonly #options: LatentifyOptions
  #parts: Promise<Parts> | null = null
  #windows: Promise<TextWindows> | null = null
  #healing: Promise<readonly Int32Array[]> | null = null

  constructor(path: string, options: LatentifyOptions) {
    this.#path = path
    this.#options = options
  }

  parts(): Promise<Parts> {
    this.#parts ??= this.#load()
    return this.#parts
  }

  /** Throws OptionError for a text that cannot be read or is too short. */
  windows(): Promise<TextWindows> {
    this.#windows ??= this.#cut()
    return this.#windows
  }

  /** Of another text, to learn from. Throws OptionError for one that cannot be read or is too short. */
  healingWindows(path: string): Promise<readonly Int32Array[]> {
    this.#healing ??= this.#cutForHealing(path)
    return this.#healing
  }

  async #cutForHealing(path: string): Promise<readonly Int32Array[]> {
    const text = await calibrationText(path, HEALING_TOKENS, 'healText')
    const { tokenizer } = await this.parts()
    return cutText(text, tokenizer, {
      size: await this.#size(),
      tokens: HEALING_TOKENS,
      held: 0,
      name: `healText ${path}`,
    }).read
  }

  /** Gives back its memory, and all that was computed on its kernels; `parts` loads it again. */
  async dispose(): Promise<void> {
    const parts = await this.#parts?.catch(() => null)
    this.#parts = null
    parts?.model.dispose()
    parts?.kernels.dispose()
  }

  /** What `work` makes of the model as it writes fastest, products in 8 bits; it is given back afterwards. */
  async writing<T>(work: (parts: Parts) => Promise<T>): Promise<T> {
    const parts = await this.#load({ exact: false, training: false })
    try {
      return await work(parts)
    } finally {
      parts.model.dispose()
      parts.kernels.dispose()
    }
  }

  /** Healing learns on the kernels that it runs on. */
  #load({ exact = true, training = isHealed(this.#options) } = {}): Promise<Parts> {
    const { signal, onProgress, threads } = this.#options
    const context = {
      report: ({ loaded, total }: { loaded: number; total: number }) =>
        onProgress?.({ stage: 'load', done: loaded, total, file: 'load' }),
      signal: signal ?? new AbortController().signal,
    }
    const cacheType = exact ? 'f32' : 'f16'
    return loadInNode(this.#path, { ...(threads && { threads }), exact, cacheType }, context, { training })
  }

  async #cut(): Promise<TextWindows> {
    const { calibrate, calibrationTokens: tokens, measure: held } = readingOf(this.#options)
    const text = await calibrationText(calibrate, tokens + held * WINDOW)
    const { tokenizer } = await this.parts()
    return cutText(text, tokenizer, { size: await this.#size(), tokens, held })
  }

  async #size(): Promise<number> {
    return windowOf((await this.parts()).model.config.maxPositions)
  }
}
