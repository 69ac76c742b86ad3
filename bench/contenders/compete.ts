/**
 * Ours and llama.cpp on one model, round by round in alternating order, each in a process of its own. llama.cpp takes
 * part with flash attention and without; after the first round at a context the slower of the two is left out.
 */
import { statSync } from 'node:fs'
import { totalmem } from 'node:os'
import { agreement } from './agreement.ts'
import { Contender, type OpenRequest, rivalInstalled } from './contender.ts'

export type Entrant = 'ours' | 'flash' | 'plain'

export interface Competition extends OpenRequest {
  readonly rival: boolean
  readonly rounds: number
  /** Ascending; what is cached at one is kept for the next. */
  readonly contexts: readonly number[]
  /** Once for every entrant and context, not timed. */
  prepare(contender: Contender, context: number): Promise<void>
  /** One round: milliseconds. */
  measure(contender: Contender, context: number): Promise<number[]>
}

export interface Outcome {
  readonly context: number
  /** By round; an entrant that was left out has fewer. */
  readonly ours: readonly number[][]
  /** The better of the two. */
  readonly rival: readonly number[][]
  readonly flash: boolean | null
}

export async function compete(c: Competition): Promise<Outcome[]> {
  const entrants: Entrant[] = c.rival && isInstalled() ? ['ours', 'flash', 'plain'] : ['ours']
  // llama.cpp holds weights twice: in the mapped file and repacked.
  const crowded = entrants.length * 2 * statSync(c.model).size > 0.7 * totalmem()
  const rounds = crowded ? await inTurn(c, entrants) : await together(c, entrants)
  return c.contexts.map((context, i) => {
    const of = (entrant: Entrant) => rounds.get(`${entrant} ${i}`) ?? []
    const flash = entrants.length > 1 ? isFaster(of('flash'), of('plain')) : null
    return { context, ours: of('ours'), rival: flash === null ? [] : of(flash ? 'flash' : 'plain'), flash }
  })
}

type Rounds = Map<string, number[][]>

async function together(c: Competition, entrants: readonly Entrant[]): Promise<Rounds> {
  const rounds: Rounds = new Map()
  const contenders = new Map<Entrant, Contender>()
  try {
    const check = agreement()
    for (const entrant of entrants) {
      const contender = await enter(c, entrant)
      contenders.set(entrant, contender)
      await check(contender)
    }
    for (const [i, context] of c.contexts.entries()) {
      for (const contender of contenders.values()) await c.prepare(contender, context)
      let order = [...entrants]
      for (let round = 0; round < c.rounds; round++) {
        for (const entrant of order) await measure(rounds, c, contenders.get(entrant) as Contender, entrant, i)
        if (round === 0 && order.length > 1) {
          const flash = isFaster(rounds.get(`flash ${i}`) ?? [], rounds.get(`plain ${i}`) ?? [])
          order = order.filter(entrant => entrant !== (flash ? 'plain' : 'flash'))
        }
        order.reverse()
      }
    }
  } finally {
    for (const contender of contenders.values()) await contender.close()
  }
  return rounds
}

async function inTurn(c: Competition, entrants: readonly Entrant[]): Promise<Rounds> {
  const rounds: Rounds = new Map()
  const check = agreement()
  for (const entrant of entrants) {
    const contender = await enter(c, entrant)
    try {
      await check(contender)
      for (const [i, context] of c.contexts.entries()) {
        await c.prepare(contender, context)
        for (let round = 0; round < c.rounds; round++) await measure(rounds, c, contender, entrant, i)
      }
    } finally {
      await contender.close()
    }
  }
  return rounds
}

/** The model, open in a process of its own. */
async function enter(request: OpenRequest, entrant: Entrant): Promise<Contender> {
  const contender = entrant === 'ours' ? Contender.ours() : Contender.rival()
  const { model, threads, contextLength, kernels } = request
  await contender.ask('open', {
    model,
    flashAttention: entrant === 'flash',
    ...(threads && { threads }),
    ...(contextLength && { contextLength }),
    ...(kernels && { kernels }),
  })
  return contender
}

async function measure(rounds: Rounds, c: Competition, contender: Contender, entrant: Entrant, i: number) {
  const key = `${entrant} ${i}`
  const list = rounds.get(key) ?? []
  rounds.set(key, list)
  console.error(`${entrant}, context ${c.contexts[i]}, round ${list.length + 1}`)
  // Threads of the previous program spin for a moment after its end.
  await new Promise(resolve => setTimeout(resolve, 200))
  list.push(await c.measure(contender, c.contexts[i] as number))
}

const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0)

/** By their first rounds: later ones of the slower may be missing. */
function isFaster(a: readonly number[][], b: readonly number[][]): boolean {
  return sum(a[0] ?? []) <= sum(b[0] ?? [])
}

function isInstalled(): boolean {
  if (!rivalInstalled) console.log('without llama.cpp: `node bench/rival/install.mjs` installs it')
  return rivalInstalled
}
