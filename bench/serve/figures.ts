/** What traffic comes to. */
import { quantiles } from '../support/report.ts'
import type { Traffic } from './traffic.ts'

export interface Percentiles {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

export interface Figures {
  /** Of each round. */
  readonly tokensPerSecond: readonly number[]
  /** Of each round, by the processor time of who answered: what else runs on the machine changes it little. */
  readonly tokensPerCpuSecond: readonly number[]
  /** Milliseconds, over the answers of all rounds. */
  readonly firstToken: Percentiles
  /** Milliseconds between two pieces of an answer. */
  readonly gaps: Percentiles
}

export function figures(rounds: readonly Traffic[]): Figures {
  const pieces = rounds.flatMap(({ answers }) => answers.map(answer => answer.pieces))
  return {
    tokensPerSecond: rounds.map(({ seconds, answers }) => tokensOf(answers) / seconds),
    tokensPerCpuSecond: rounds.map(({ cpuSeconds = Number.NaN, answers }) => tokensOf(answers) / cpuSeconds),
    firstToken: percentiles(pieces.flatMap(([first]) => first ?? [])),
    gaps: percentiles(pieces.flatMap(times => times.slice(1).map((time, i) => time - (times[i] ?? 0)))),
  }
}

function tokensOf(answers: Traffic['answers']): number {
  return answers.reduce((sum, { tokens }) => sum + tokens, 0)
}

function percentiles(values: readonly number[]): Percentiles {
  const at = quantiles(values)
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
