/** Whether contenders compute the same model. */
import { mustBe } from '../support/report.ts'
import type { Contender } from './contender.ts'
import { stream } from './stream.ts'

const TOKENS = 24
const MAX_ERROR = 0.15

/**
 * Before anything is timed: all give the same tokens the same probabilities as the first that is asked. Weights and
 * activations of 8 bits are rounded differently, so that they agree to a few per cent of what tokens differ by.
 */
export function agreement(): (contender: Contender) => Promise<void> {
  let first: readonly number[] | null = null
  return async contender => {
    const { logprobs } = await contender.ask('score', { tokens: stream(0, TOKENS) })
    await contender.ask('truncate', { length: 0 })
    first ??= logprobs
    const mean = first.reduce((a, b) => a + b, 0) / first.length
    const error = rms(logprobs.map((x, i) => x - (first?.[i] as number))) / rms(first.map(x => x - mean))
    mustBe(`log-probabilities differ by ${error.toFixed(2)} of their spread`, error < MAX_ERROR)
  }
}

function rms(list: readonly number[]): number {
  return Math.sqrt(list.reduce((n, x) => n + x * x, 0) / list.length)
}
