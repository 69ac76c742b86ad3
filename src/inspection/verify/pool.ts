import type { Agreement, VerifyRow } from './row.ts'
import type { VerifyReport } from './verify.ts'

/** Agreement with 8-bit activations over all files of one kernel set, beside llama.cpp's over the same files. */
export interface PooledAgreement {
  readonly kernels: string
  readonly files: number
  /** Positions of the prompts, and tokens of forced continuations; a file counts once, by the mean of its ways. */
  readonly top1: PooledShare
  readonly greedy: PooledShare
  /** Whether there are enough tokens to hold the shares to llama.cpp's. */
  readonly held: boolean
  readonly passed: boolean
}

export interface PooledShare {
  /** 0 to 1. */
  readonly share: number
  readonly tokens: number
  readonly llamaCpp: number
}

/** So much less than llama.cpp's share is allowed. */
const POOL_TOLERANCE = 0.02
/** Of fewer tokens two points are a handful of near ties, and say nothing. */
const POOL_TOKENS = 1000

/** One entry per kernel set that has computed files with 8-bit activations for which llama.cpp's numbers are known. */
export function poolAgreement(reports: readonly VerifyReport[]): PooledAgreement[] {
  const names = new Set(reports.flatMap(r => r.rows.map(row => row.kernels)))
  return [...names].flatMap(kernels => {
    const files = reports.flatMap(({ rows, llamaCpp }) => {
      const own = rows.filter(row => row.kernels === kernels && row.arithmetic === '8-bit' && row.greedy)
      return own.length > 0 && llamaCpp ? [{ own, llamaCpp }] : []
    })
    if (files.length === 0) return []
    const pooled = (agreement: (row: VerifyRow) => Agreement, rival: 'top1' | 'greedy'): PooledShare => {
      let [agreeing, theirs, tokens] = [0, 0, 0]
      for (const { own, llamaCpp } of files) {
        const count = agreement(own[0] as VerifyRow).expected
        agreeing += own.reduce((n, row) => n + agreement(row).agreeing, 0) / own.length
        theirs += llamaCpp[rival] * count
        tokens += count
      }
      return { share: agreeing / tokens, tokens, llamaCpp: theirs / tokens }
    }
    const top1 = pooled(row => row.top1, 'top1')
    const greedy = pooled(row => row.greedy as Agreement, 'greedy')
    const held = top1.tokens + greedy.tokens >= POOL_TOKENS
    const near = ({ share, llamaCpp }: PooledShare) => share >= llamaCpp - POOL_TOLERANCE
    return [{ kernels, files: files.length, top1, greedy, held, passed: !held || (near(top1) && near(greedy)) }]
  })
}
