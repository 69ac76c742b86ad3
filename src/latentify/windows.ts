/** The calibration text in windows of tokens. */
import { OptionError } from '../errors.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'

export interface TextWindows {
  /** What statistics come from. All are of one length. */
  readonly read: readonly Int32Array[]
  /** What is lost is measured on these, which statistics do not see. */
  readonly held: readonly Int32Array[]
  /** All of the text that are not held back: what a model may learn from. */
  readonly others: readonly Int32Array[]
}

export interface WindowSizes {
  /** Tokens of a window. */
  readonly size: number
  /** Tokens to read. */
  readonly tokens: number
  /** Windows to hold back. */
  readonly held: number
  /** For messages. Default: the calibration text. */
  readonly name?: string
}

const LEAST = 4
/** Of a short text, one window in so many is held back. */
const HELD_EACH = 4

/**
 * Windows spread over the whole text, so that a long one is not judged by its beginning. Each begins as texts do, with bos where the tokenizer has it there. Throws
 * OptionError for a text that is too short.
 */
export function cutText(text: string, tokenizer: Tokenizer, sizes: WindowSizes): TextWindows {
  const { size, tokens, held, name = 'The calibration text' } = sizes
  const count = Math.max(1, Math.floor(tokens / size))
  const ids = tokenizer.encodePrompt(text)
  const there = Math.floor(ids.length / size)
  const least = Math.min(count, LEAST)
  if (there < least) {
    throw new OptionError(
      `${name} has ${ids.length} tokens; expected at least ${least * size}, better ${tokens + held * size}: take a longer text`,
    )
  }
  const back = Math.min(held, Math.floor(there / HELD_EACH))
  const taken = Math.min(count + back, there)
  const all = Array.from({ length: there }, (_, i) => {
    const window = Int32Array.from(ids.slice(i * size, (i + 1) * size))
    if (tokenizer.startsWithBos && tokenizer.bosId !== undefined) window[0] = tokenizer.bosId
    return window
  })
  const [read, aside] = [[], []] as [Int32Array[], Int32Array[]]
  for (let w = 0; w < taken; w++) {
    const window = all[Math.floor((w * (there - 1)) / Math.max(taken - 1, 1))] as Int32Array
    const isHeld = Math.floor(((w + 1) * back) / taken) > Math.floor((w * back) / taken)
    ;(isHeld ? aside : read).push(window)
  }
  return { read, held: aside, others: all.filter(window => !aside.includes(window)) }
}
