/** Options that decide nothing, or contradict each other. */
import { OptionError } from '../errors.ts'
import type { LatentifyOptions } from './options.ts'

/** Whether the model learns from the original. */
export function isHealed({ heal, healSteps }: LatentifyOptions): boolean {
  return heal !== undefined || healSteps !== undefined
}

/** Before anything is read. Throws OptionError. */
export function checkOptions(options: LatentifyOptions): void {
  const { also = [], measure } = options
  if (options.pplWithin !== undefined) checkWithin(options.pplWithin, options)
  if (options.search) checkSearch(options)
  if (also.length > 0 && measure === 0)
    throw new OptionError('also is given, and measure is 0; expected windows to measure on')
  if (isHealed(options)) {
    if (options.healText !== undefined && options.healSamples !== undefined)
      throw new OptionError('healText and healSamples are both given; one of them says what is learned from')
    return
  }
  const idle = (['healText', 'healSamples', 'healHidden'] as const).find(name => options[name] !== undefined)
  if (idle !== undefined) throw new OptionError(`${idle} is given without heal; say how long it may take, such as 30m`)
}

/** Sizes that keep all lose nothing. Throws OptionError. */
export function checkWhole(options: LatentifyOptions): void {
  const names = ['search', 'heal', 'healSteps', 'theta'] as const
  const idle = options.also?.length
    ? 'also'
    : names.find(name => options[name] !== undefined && options[name] !== false)
  if (idle === undefined) return
  const size = options.cacheRatio === undefined ? 'rank and rope keep' : 'a cacheRatio of 1 keeps'
  throw new OptionError(`${idle} is given, and ${size} all, for which no text is read; leave ${idle} out`)
}

function checkWithin(limit: number, { cacheRatio, rank, measure }: LatentifyOptions): void {
  if (limit >= 1) {
    throw new OptionError(
      `pplWithin is ${limit}, ${Math.round(100 * limit)} % more perplexity than the original's; expected less than 1, such as 0.05 or 5%`,
    )
  }
  const size = cacheRatio === undefined ? (rank === undefined ? null : 'rank') : 'cacheRatio'
  if (size !== null) throw new OptionError(`pplWithin and ${size} are both given; one of them says how much is kept`)
  if (measure === 0) throw new OptionError('pplWithin is given, and measure is 0; expected windows to measure on')
}

function checkSearch({ rope, theta, measure }: LatentifyOptions): void {
  if (measure === 0) throw new OptionError('search is given, and measure is 0; expected windows to measure on')
  if (rope !== undefined && theta !== undefined)
    throw new OptionError('search is given with rope and theta, which leave nothing to search; leave one of them out')
}
