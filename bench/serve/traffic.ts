/** Sends requests in a closed loop, where each client waits for its answer, or at given times whatever is still running. */
import type { BenchRequest } from './requests.ts'

/** One answer as its client saw it. */
export interface Answered {
  /** Milliseconds from the request to each piece of text. */
  readonly pieces: readonly number[]
  readonly tokens: number
  readonly promptTokens: number
}

/** `begun` is called with the first piece. */
export type Ask = (request: BenchRequest, begun?: () => void) => Promise<Answered>

export interface Traffic {
  readonly seconds: number
  /** Processor time of who answered. */
  readonly cpuSeconds?: number
  /** In the order of the requests. */
  readonly answers: readonly Answered[]
}

export async function closedLoop(ask: Ask, list: readonly BenchRequest[], clients: number): Promise<Traffic> {
  const answers: Answered[] = []
  let next = 0
  const client = async () => {
    while (next < list.length) {
      const i = next++
      answers[i] = await ask(list[i] as BenchRequest)
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: clients }, client))
  return { seconds: (performance.now() - start) / 1000, answers }
}

/** `at`: seconds from the start. */
export async function openLoop(ask: Ask, list: readonly BenchRequest[], at: readonly number[]): Promise<Traffic> {
  const start = performance.now()
  const answers = await Promise.all(
    list.map(async (request, i) => {
      await new Promise(resolve => setTimeout(resolve, 1000 * (at[i] ?? 0)))
      return ask(request)
    }),
  )
  return { seconds: (performance.now() - start) / 1000, answers }
}

/** Comes when all others are being answered: `around` are those, `long` is this one's. */
export async function besideLong(
  ask: Ask,
  others: readonly BenchRequest[],
  long: BenchRequest,
): Promise<{ readonly around: Traffic; readonly long: Traffic }> {
  const start = performance.now()
  const seconds = () => (performance.now() - start) / 1000
  let waited = others.length
  let begin = () => {}
  const begun = new Promise<void>(resolve => {
    begin = resolve
  })
  const all = others.map(request =>
    ask(request, () => {
      if (--waited === 0) begin()
    }),
  )
  // Together, so that no failure is left without a listener while others still run.
  const [around, answer] = await Promise.all([
    Promise.all(all).then(answers => ({ seconds: seconds(), answers })),
    begun.then(() => ask(long)),
  ])
  return { around, long: { answers: [answer], seconds: seconds() } }
}
