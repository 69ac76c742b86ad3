import { OptionError } from '../errors.ts'

/** How a text is cut into windows. */
export interface WindowOptions {
  /** Tokens per window. Default 512. */
  readonly window?: number
  /**
   * Tokens between the starts of two windows. Each window scores its last `stride` tokens, so that every token after the
   * first context is scored once; a stride of the whole window scores all but a window's first, and puts no bos there. Default: adjacent windows, each of which scores the tokens after its middle token.
   */
  readonly stride?: number
  /** Largest number of windows. Default: all that fit. */
  readonly windows?: number
}

/** How a text is cut into windows. Measurements with equal cuts can be compared token by token. */
export interface Cut {
  /** Tokens per window. */
  readonly size: number
  /** Tokens between the starts of two windows. */
  readonly step: number
  /** The first scored token of a window; those before it are context only. */
  readonly from: number
}

/** A text's tokens in windows. Each window is run alone, from position 0. */
export interface Windows extends Cut {
  /** Token ids of each window. */
  readonly list: readonly Int32Array[]
  /** Scored tokens of all windows. */
  readonly scored: number
  /** Tokens of the whole text; the windows may contain fewer. */
  readonly textTokens: number
}

const DEFAULT_WINDOW = 512

/** Throws OptionError for numbers out of range. */
export function cutOf({ window = DEFAULT_WINDOW, stride }: Pick<WindowOptions, 'window' | 'stride'>): Cut {
  whole('window', window, 4)
  if (stride === undefined) return { size: window, step: window, from: Math.floor(window / 2) + 1 }
  whole('stride', stride, 1)
  if (stride > window) {
    throw new OptionError(`stride is ${stride}; expected at most the window of ${window}, so that no token is left out`)
  }
  return { size: window, step: stride, from: Math.max(1, window - stride) }
}

/**
 * Cuts a text into windows; an incomplete last window is left out. `bos` replaces every window's first token, for models
 * whose texts begin with it. Throws OptionError if not even one window is full.
 */
export function cutWindows(
  ids: readonly number[],
  cut: Cut,
  options: { readonly windows?: number; readonly bos?: number } = {},
): Windows {
  const { size, step, from } = cut
  const { windows = Number.POSITIVE_INFINITY, bos } = options
  if (windows !== Number.POSITIVE_INFINITY) whole('windows', windows, 1)
  const count = Math.min(windows, Math.floor((ids.length - size) / step) + 1)
  if (count < 1) {
    throw new OptionError(
      `window is ${size}; the text has only ${ids.length} tokens: take a longer text or smaller windows`,
    )
  }
  const list = Array.from({ length: count }, (_, w) => {
    const tokens = Int32Array.from(ids.slice(w * step, w * step + size))
    if (bos !== undefined) tokens[0] = bos
    return tokens
  })
  return { size, step, from, list, scored: count * (size - from), textTokens: ids.length }
}

function whole(name: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return
  throw new OptionError(`${name} is ${value}; expected a whole number of at least ${min}`)
}
