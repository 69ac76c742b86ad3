// Mixed traffic (soak-traffic.mjs) against `latentkit serve` for some minutes: answers of every API, clients that leave, abort or read
// slowly, broken bodies, prompts that are too long. The server is killed (SIGKILL) and started again twice: before memory is watched, and
// when it has been. Fails if a status is not what it should be, if a text differs from the undisturbed one, before or after the kills, if
// a stop cuts an answer, or if memory grows by more than 5 %.
// Memory is compared at rest: after the warm-up, and each third of the time, the traffic pauses until the server's collector has shrunk its
// heaps (it does by itself, once nothing is asked). Under traffic resident memory goes up and down by a tenth with what is garbage and
// not collected yet, for minutes; the medians of its minutes are printed beside it.
// usage: node scripts/soak-server.mjs [--minutes 5]   (a minute of warm-up, 1,500 requests and the pauses come on top)
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { serve } from './served.mjs'
import { SEEDS, Traffic } from './soak-traffic.mjs'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' } } })
const WATCHED_MS = Number(values.minutes) * 60_000
if (!(WATCHED_MS > 0)) throw new Error(`--minutes is ${values.minutes}; expected a number above 0`)
/** Pauses in which memory is compared with what it was in the first one. */
const RESTS = WATCHED_MS < 10 * 60_000 ? 1 : 3
const REST_MS = 60_000
/** Memory of a pause is the least of its last part. */
const RESTED_MS = 10_000
/** Before memory is watched: both, as a busy machine answers little in a minute. */
const WARM_MS = 60_000
const WARM_REQUESTS = 1500
/** Traffic before a kill, and after the last one. */
const AROUND_KILL_MS = 5000
const CLIENTS = 8
/** Bounds that the traffic reaches within the warm-up, in memory and on disk. */
const CACHE = ['--cache-bytes', '32MiB', '--cache-dir-bytes', '32MiB']

const cacheDir = mkdtempSync(path.join(tmpdir(), 'latentkit-soak-'))
const problems = []
const counts = {}
const busyMB = []
const restMB = []
process.on('exit', () => rmSync(cacheDir, { recursive: true, force: true, maxRetries: 5 }))
let server = await start()
const traffic = new Traffic(() => server.url, problems)
await traffic.undisturbed()

let running = true
let underWay = 0
/** Pending while clients pause. */
let going = Promise.resolve()
const clients = Array.from({ length: CLIENTS }, (_, id) => client(id))
await pass(AROUND_KILL_MS)
await killed()
const warm = requests() + WARM_REQUESTS
await pass(WARM_MS)
while (requests() < warm) await pass(1000)
restMB.push(await rested())
for (let i = 0; i < RESTS; i++) {
  await watched(WATCHED_MS / RESTS)
  restMB.push(await rested())
}
await killed()
await pass(AROUND_KILL_MS)
running = false
await Promise.all(clients)
await traffic.all().catch(error => problems.push(`after the kill: ${error.message}`))
await stopped()

const [first, last] = [restMB[0], restMB.at(-1)]
if (!(last <= first * 1.05)) problems.push(`resident memory at rest grew from ${first} to ${last} MB`)
console.log(JSON.stringify({ minutes: Number(values.minutes), counts, restMB, busyMB, problems }))
process.exitCode = problems.length === 0 ? 0 : 1

function requests() {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

async function client(id) {
  const kinds = Object.entries(traffic.kinds)
  for (let round = id; running; round += CLIENTS) {
    const [name, kind] = kinds[(Math.floor(round / CLIENTS) * 3 + id) % kinds.length]
    await going
    counts[name] = (counts[name] ?? 0) + 1
    const at = server
    underWay++
    try {
      await kind(round % SEEDS)
    } catch (error) {
      // What the killed one was asked ends with it.
      if (!at.killed) problems.push(`${name}: ${error.message}`)
      await pass(100)
    } finally {
      underWay--
    }
  }
}

/** Memory under traffic: the median of each minute. */
async function watched(ms) {
  const until = Date.now() + ms
  while (Date.now() < until) {
    const minute = []
    while (Date.now() < until && minute.length < 60) {
      minute.push(memoryOf(server.process.pid))
      await pass(1000)
    }
    busyMB.push(middle(minute))
  }
}

/** Memory when nothing has been asked for a while. */
async function rested() {
  let resume = () => {}
  going = new Promise(resolve => {
    resume = resolve
  })
  while (underWay > 0) await pass(100)
  await pass(REST_MS - RESTED_MS)
  const last = []
  for (let i = 0; i < RESTED_MS / 1000; i++) {
    await pass(1000)
    last.push(memoryOf(server.process.pid))
  }
  resume()
  return Math.min(...last)
}

/** SIGKILL in the midst of it, and another server over the same folder. */
async function killed() {
  server.killed = true
  server.process.kill('SIGKILL')
  server = await start()
}

/** SIGTERM lets a running answer end. */
async function stopped() {
  const body = JSON.stringify({ prompt: 'Once', max_tokens: 300, ignore_eos: true, stream: true })
  const response = await fetch(`${server.url}/v1/completions`, { method: 'POST', body })
  const ended = new Promise(resolve => server.process.once('exit', resolve))
  server.process.kill('SIGTERM')
  const text = await response.text().catch(error => error.message)
  if (!text.endsWith('data: [DONE]\n\n')) problems.push(`SIGTERM cut an answer: …${text.slice(-200)}`)
  const code = await ended
  if (code !== 0) problems.push(`SIGTERM ended the server with ${code}`)
}

async function start() {
  return { ...(await serve('--cache-dir', cacheDir, ...CACHE)), killed: false }
}

function memoryOf(pid) {
  const [, kb] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kb) / 1024)
}

function middle(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}

function pass(ms) {
  return new Promise(resolve => setTimeout(resolve, ms))
}
