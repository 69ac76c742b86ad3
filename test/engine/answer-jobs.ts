/**
 * Many answers, a few at once; what becomes of each is recorded as it ends. With a file, it goes on where the last run
 * stopped:
 *
 *     LATENTKIT_ANSWER_LOG=FILE     a line of JSON for each answer; those that are there are not asked for again
 *     LATENTKIT_ANSWER_MINUTES=N    none begins later than that; what is there is counted
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { GrammarError, SchemaError } from 'latentkit'

/** One answer to ask for. */
export interface Job {
  /** Jobs of one group are counted together. */
  readonly group: string
  /** The schema or the set of tools: once it is refused, its other seeds are not asked for. */
  readonly name: string
  readonly seed: number
  /** Resolves to null, or to the end of an answer that the limit of tokens cut. Rejects if anything is wrong with it. */
  run(): Promise<string | null>
}

/** What became of it. */
interface Outcome {
  readonly group: string
  readonly name: string
  readonly seed: number
  readonly is: 'finished' | 'cut' | 'refused' | 'failed' | 'wrong'
  /** A refused request's keyword, a cut answer's end, an error's message. */
  readonly note?: string
}

/** What became of a group's jobs. */
export interface Counts {
  /** The schemas or sets of tools. */
  readonly asked: Set<string>
  answers: number
  finished: number
  /** Ended by the limit of tokens: how many, and how they end. */
  cut: number
  readonly tails: string[]
  /** Requests that were refused, by keyword. */
  readonly refused: Record<string, number>
  /** Texts that an expression or a list of distinct items left without a way on, or that were too much for the library. */
  readonly failed: string[]
  readonly wrong: string[]
}

const FILE = process.env.LATENTKIT_ANSWER_LOG
const MINUTES = Number(process.env.LATENTKIT_ANSWER_MINUTES ?? Number.POSITIVE_INFINITY)
const began = Date.now()

/** Runs the jobs in order, `atOnce` at once, and counts by group; `run` names the run in the file. */
export async function runJobs(run: string, jobs: readonly Job[], atOnce: number): Promise<ReadonlyMap<string, Counts>> {
  const outcomes = recorded(run)
  const done = new Set(outcomes.map(one => keyOf(one)))
  const refused = new Set(outcomes.filter(one => one.is === 'refused').map(one => `${one.group} ${one.name}`))
  const left = jobs.filter(job => !done.has(keyOf(job)))[Symbol.iterator]()
  const worker = async () => {
    for (const job of left) {
      if (Date.now() - began > MINUTES * 60_000) return
      if (refused.has(`${job.group} ${job.name}`)) continue
      const outcome = await outcomeOf(job)
      if (outcome.is === 'refused') {
        if (refused.has(`${job.group} ${job.name}`)) continue
        refused.add(`${job.group} ${job.name}`)
      }
      outcomes.push(outcome)
      if (FILE) appendFileSync(FILE, `${JSON.stringify({ run, ...outcome })}\n`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return counted(outcomes)
}

async function outcomeOf(job: Job): Promise<Outcome> {
  const { group, name, seed } = job
  try {
    const cut = await job.run()
    return { group, name, seed, ...(cut === null ? { is: 'finished' } : { is: 'cut', note: cut }) }
  } catch (error) {
    if (error instanceof SchemaError) return { group, name, seed, is: 'refused', note: error.keyword }
    return { group, name, seed, is: error instanceof GrammarError ? 'failed' : 'wrong', note: (error as Error).message }
  }
}

const keyOf = ({ group, name, seed }: Outcome | Job) => JSON.stringify([group, name, seed])

function recorded(run: string): Outcome[] {
  if (!FILE || !existsSync(FILE)) return []
  const lines = readFileSync(FILE, 'utf8').split('\n').filter(Boolean)
  return lines.map(line => JSON.parse(line) as Outcome & { run: string }).filter(one => one.run === run)
}

function counted(outcomes: readonly Outcome[]): Map<string, Counts> {
  const groups = new Map<string, Counts>()
  for (const { group, name, seed, is, note = '' } of outcomes) {
    let counts = groups.get(group)
    if (!counts) {
      const none = { asked: new Set<string>(), answers: 0, finished: 0, cut: 0 }
      counts = { ...none, refused: {}, tails: [], failed: [], wrong: [] }
      groups.set(group, counts)
    }
    const shown = `${name} (seed ${seed}): ${note}`
    counts.asked.add(name)
    if (is === 'refused') counts.refused[note] = (counts.refused[note] ?? 0) + 1
    else if (is === 'failed') counts.failed.push(shown)
    else if (is === 'wrong') counts.wrong.push(shown)
    else {
      counts.answers++
      counts[is]++
      if (is === 'cut') counts.tails.push(shown)
    }
  }
  return groups
}
