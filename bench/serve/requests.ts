/** What all entrants are asked: the same list for the same seed. */
import { Rng } from '../../test/support/rng.ts'

export interface BenchRequest {
  readonly prompt: string
  /** Tokens of the answer, exactly. */
  readonly tokens: number
}

/** Beginnings that requests share, as those of one application do. */
const COMMON = 3
const COMMON_LENGTH = 128
const OWN_LENGTH = { least: 32, most: 256 }
const ANSWER = { least: 16, most: 64 }

/** `run`: own parts are new in each, so that a cache finds only the common ones. */
export function requests(seed: number, run: string, count: number): BenchRequest[] {
  const common = new Rng(`${seed} common`)
  const beginnings = Array.from({ length: COMMON }, () => letters(common, COMMON_LENGTH))
  const own = new Rng(`${seed} ${run}`)
  const between = ({ least, most }: { least: number; most: number }) => least + own.below(most - least + 1)
  return Array.from({ length: count }, () => ({
    prompt: `${beginnings[own.below(COMMON)]}${letters(own, between(OWN_LENGTH))}`,
    tokens: between(ANSWER),
  }))
}

/** Answers that are being written, each of so many tokens, when a long prompt comes: one of so many letters at most. */
const BESIDE = { answers: 4, tokens: 96, letters: 4096 }

/** `run`: as for `requests`. The long prompt fits into half of the context. */
export function longAndOthers(
  seed: number,
  run: string,
  contextLength: number,
): { others: BenchRequest[]; long: BenchRequest } {
  const rng = new Rng(`${seed} ${run} long`)
  const others = Array.from({ length: BESIDE.answers }, () => ({ prompt: letters(rng, 64), tokens: BESIDE.tokens }))
  return { others, long: { prompt: letters(rng, Math.min(BESIDE.letters, contextLength >> 1)), tokens: 2 } }
}

/** Seconds from the start at which each request comes: a Poisson process. */
export function arrivals(seed: number, run: string, count: number, perSecond: number): number[] {
  const rng = new Rng(`${seed} ${run} arrivals`)
  let at = 0
  return Array.from({ length: count }, () => {
    at -= Math.log(1 - rng.uniform()) / perSecond
    return at
  })
}

function letters(rng: Rng, length: number): string {
  return Array.from({ length }, () => (rng.below(6) === 0 ? ' ' : String.fromCharCode(97 + rng.below(26)))).join('')
}
