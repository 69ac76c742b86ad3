/**
 * The server (`latentkit serve`) beside llama.cpp's llama-server, and beside the engine without a server: tokens per second, and the 50th, 95th
 * and 99th percentile of the time to the first token and of the gaps between pieces. 1 and 8 clients that wait for their
 * answers, requests that come at random times (Poisson), at 80 % of the rate that the slowest server reaches with 8 clients, and 4
 * answers that are being written while a prompt of 4,096 letters comes (half of the context, where that is shorter).
 * "tok/CPU s" counts the processor time of who answers (engine alone: with the client's), which other programs change little; that holds
 * with `--threads 1` only, since threads that wait for each other use it up.
 * Aims: twice the throughput with 8 clients, half the time to the first token (p95); HTTP costs at most 3 %.
 *
 *     node scripts/bench.mjs serve [mla-q8-bytes | smollm2 | FILE] [--rival 'PATH OPTIONS'] [--requests 24] [--rounds 3] [--rate N]
 *       [--threads 2] [--seed 1] [--models DIR] [--keep]
 *
 * PATH is a llama-server; it gets `--parallel 8 --cont-batching --cache-prompt`, the same model and threads, and OPTIONS. All get
 * the same seeded requests: one of 3 common beginnings, 32 to 256 letters, and an answer of 16 to 64 tokens, greedily. --rate:
 * requests per second of the open loop. The client runs beside the servers, and its work counts as HTTP's.
 */
import { Engine } from '../src/index.ts'
import { workModel } from './models/work-model.ts'
import { cpuSeconds } from './serve/cpu-time.ts'
import { figures, type Percentiles } from './serve/figures.ts'
import { inProcess } from './serve/in-process.ts'
import { overHttp } from './serve/over-http.ts'
import { arrivals, type BenchRequest, longAndOthers, requests } from './serve/requests.ts'
import { checkRival, llamaServer, ours, type RunningServer } from './serve/servers.ts'
import { type Ask, besideLong, closedLoop, openLoop, type Traffic } from './serve/traffic.ts'
import { MODELS, parseOptions, positive } from './support/options.ts'
import { mustBe, printJson, printTable, show, spread } from './support/report.ts'

const PARALLEL = 8
/** Of the slowest server's rate with 8 clients. */
const LOAD = 0.8

const { values, positionals } = parseOptions({
  allowPositionals: true,
  options: {
    rival: { type: 'string' },
    requests: { type: 'string', default: '24' },
    rounds: { type: 'string', default: '3' },
    rate: { type: 'string' },
    threads: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    models: { type: 'string', default: MODELS },
    keep: { type: 'boolean', default: false },
  },
})
const count = positive(values.requests, '--requests')
const rounds = positive(values.rounds, '--rounds')
const threads = positive(values.threads, '--threads')
const seed = positive(values.seed, '--seed')
const givenRate = values.rate === undefined ? null : positive(values.rate, '--rate')
if (values.rival !== undefined) checkRival(values.rival)
const name = positionals[0] ?? 'mla-q8-bytes'
const served = { model: workModel(name, values.models), threads, parallel: PARALLEL }

type Entrant = 'latentkit serve' | 'llama-server' | 'engine alone'
/** By loop and entrant: the traffic of each round. */
const measured = new Map<string, Traffic[]>()
const loops = ['1 client', `${PARALLEL} clients`]
const running: RunningServer[] = []
const engine = await Engine.load(served.model, { threads })
try {
  const entrants: [Entrant, Ask, number][] = [['engine alone', inProcess(engine), process.pid]]
  const enter = (who: Entrant, server: RunningServer) => {
    running.push(server)
    entrants.push([who, overHttp(server.url), server.pid])
  }
  enter('latentkit serve', await ours(served))
  if (values.rival !== undefined) enter('llama-server', await llamaServer(values.rival, served))

  // The first round is not counted: it warms up, and the common beginnings are cached afterwards.
  for (let round = 0; round <= rounds; round++) {
    for (const [i, clients] of [1, PARALLEL].entries()) {
      await inTurn(loops[i] as string, round, entrants, (ask, list) => closedLoop(ask, list, clients))
    }
  }
  const servers = entrants.filter(([who]) => who !== 'engine alone')
  const rate = givenRate ?? LOAD * Math.min(...servers.map(([who]) => requestRate(who)))
  const loop = `${rate.toPrecision(3)} requests/s`
  for (let round = 1; round <= rounds; round++) {
    const at = arrivals(seed, `${round}`, count, rate)
    await inTurn(loop, round, servers, (ask, list) => openLoop(ask, list, at))
  }
  for (let round = 1; round <= rounds; round++) await beside(round, entrants)
} finally {
  await engine.dispose()
  for (const server of running) await server.close()
}
report()

/** One round of a loop: the same requests for each entrant, in alternating order. */
async function inTurn(
  loop: string,
  round: number,
  entrants: readonly [Entrant, Ask, pid: number][],
  send: (ask: Ask, list: readonly BenchRequest[]) => Promise<Traffic>,
): Promise<void> {
  const list = requests(seed, `${loop} ${round}`, count)
  const promptTokens = new Set<string>()
  for (const [who, ask, pid] of round % 2 === 0 ? entrants : entrants.toReversed()) {
    await calm()
    const begun = cpuSeconds(pid)
    const sent = await send(ask, list)
    const traffic = { ...sent, cpuSeconds: cpuSeconds(pid) - begun }
    mustBe(
      `${who} did not write as many tokens as were asked for`,
      traffic.answers.every(({ tokens }, i) => tokens === list[i]?.tokens),
    )
    promptTokens.add(traffic.answers.map(answer => answer.promptTokens).join())
    const { tokensPerSecond, tokensPerCpuSecond } = figures([traffic])
    const rates = `${tokensPerSecond[0]?.toFixed(1)} tok/s, ${tokensPerCpuSecond[0]?.toFixed(1)} tok/CPU s`
    console.error(`${loop}, round ${round}, ${who}: ${rates}`)
    if (round > 0) measure(`${loop}, ${who}`, traffic)
  }
  mustBe('the entrants cut the prompts into different numbers of tokens', promptTokens.size === 1)
}

/** Answers under way while a long prompt comes. */
async function beside(round: number, entrants: readonly [Entrant, Ask, pid: number][]): Promise<void> {
  const { others, long } = longAndOthers(seed, `${round}`, engine.info.contextLength)
  for (const [who, ask] of round % 2 === 0 ? entrants : entrants.toReversed()) {
    await calm()
    const traffic = await besideLong(ask, others, long)
    const { promptTokens } = traffic.long.answers[0] as (typeof traffic.long.answers)[0]
    console.error(`${promptTokens} tokens beside ${others.length} answers, round ${round}, ${who}`)
    measure(`beside a long prompt, ${who}`, traffic.around)
    measure(`a long prompt, ${who}`, traffic.long)
  }
}

/** Threads of the previous entrant spin for a moment after its end. */
function calm(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 200))
}

function measure(key: string, traffic: Traffic): void {
  measured.set(key, [...(measured.get(key) ?? []), traffic])
}

/** Requests per second that all clients together got answered. */
function requestRate(who: Entrant): number {
  const traffic = measured.get(`${PARALLEL} clients, ${who}`) ?? []
  return spread(traffic.map(({ seconds }) => count / seconds)).median
}

function report(): void {
  const results = [...measured].map(([key, traffic]) => ({ key, ...figures(traffic) }))
  const ms = ({ p50, p95, p99 }: Percentiles) => [p50, p95, p99].map(n => n.toFixed(1)).join(' / ')
  printTable([
    ['loop, who answers', 'tok/s', 'tok/CPU s', 'first token, ms: p50 / p95 / p99', 'gaps, ms: p50 / p95 / p99'],
    ...results.map(r => [
      ...[r.key, show(spread(r.tokensPerSecond), 1), show(spread(r.tokensPerCpuSecond), 1)],
      ...[ms(r.firstToken), ms(r.gaps)],
    ]),
  ])
  const of = (loop: string, who: Entrant) => results.find(({ key }) => key === `${loop}, ${who}`)
  const httpCost = loops.map(loop => {
    const alone = of(loop, 'engine alone')?.tokensPerSecond ?? []
    const over = of(loop, 'latentkit serve')?.tokensPerSecond ?? []
    const cost = spread(over.map((rate, i) => 100 * (1 - rate / (alone[i] ?? Number.NaN))))
    console.log(`HTTP cost, ${loop}: ${show(cost, 1)} % of the engine's tok/s`)
    return { loop, percent: cost }
  })
  printJson('serve', { model: name, threads, seed, requests: count, rounds, results, httpCost }, values.keep)
}
