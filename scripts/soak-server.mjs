// Mixed traffic (soak-traffic.mjs) against `latentkit serve` for some minutes: answers of every API, clients that leave, abort or read
// slowly, broken bodies, prompts that are too long. The server is killed (SIGKILL) and started again twice: before memory is watched, and
// when it has been. Fails if a status is not what it should be, if a text differs from the undisturbed one, before or after the kills, if
// a stop cuts an answer, or if memory grows by more than 5 %.
//
// What is compared, and why. The load is the same in each part of the time, on a free machine and on a busy one: all clients begin a request
// at once, every two seconds; how much runs at the same time decides the size of steps, of buffers and of heaps. Before that the clients ask
// as fast as they are answered, and reach what is bounded: the largest step, a full cache, responses that are kept, words that the tokenizer
// remembers. Memory is what is in use: the traffic pauses, every thread collects its garbage (soak-collect.cjs), and malloc gives back what
// is free; it has one heap for all threads, and none for large buffers. Each thread's young generation has one megabyte twice: V8 makes it
// larger the faster objects come, up to 2 x 16 MB, and seldom smaller again. Under traffic a third of what is resident is garbage that V8 has
// no reason to collect yet, and free memory that malloc keeps: both go up and down for minutes. Medians of the minutes are printed beside it.
// usage: node scripts/soak-server.mjs [--minutes 5] [--leak BYTES]   (a minute of warm-up, 1,500 requests and the pauses come on top; --leak
// loses so many bytes with each request, to see that the rule sees it)
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { serve } from './served.mjs'
import { SEEDS, Traffic } from './soak-traffic.mjs'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, leak: { type: 'string', default: '0' } },
})
const WATCHED_MS = Number(values.minutes) * 60_000
if (!(WATCHED_MS > 0)) throw new Error(`--minutes is ${values.minutes}; expected a number above 0`)
if (!(Number(values.leak) >= 0)) throw new Error(`--leak is ${values.leak}; expected a number of bytes`)
/** Between pauses in which memory is compared with that of the first one. */
const BETWEEN_MS = Math.min(WATCHED_MS, 5 * 60_000)
/** Memory is given back some time after a collection, and a busy machine takes its time: the least of several counts. */
const COLLECTIONS = 10
const COLLECTING_MS = 2000
/** Before memory is watched: both, as a busy machine answers little in a minute. */
const WARM_MS = 60_000
const WARM_REQUESTS = 1500
/** No request takes so long, however busy the machine is. */
const HANGS_MS = 300_000
/** Traffic before a kill, and after the last one. */
const AROUND_KILL_MS = 5000
const CLIENTS = 8
/** Milliseconds between two requests of a client, while memory is watched; who is late waits for the next beat. */
const BEAT_MS = 2000
/** Bounds that the traffic reaches within the warm-up, in memory and on disk. */
const CACHE = ['--cache-bytes', '32MiB', '--cache-dir-bytes', '32MiB']

const cacheDir = mkdtempSync(path.join(tmpdir(), 'latentkit-soak-'))
const problems = []
const counts = {}
const busyMB = []
const inUseMB = []
process.on('exit', () => rmSync(cacheDir, { recursive: true, force: true, maxRetries: 5 }))
const collector = fileURLToPath(new URL('soak-collect.cjs', import.meta.url))
process.env.NODE_OPTIONS = `--require "${collector}" --max-semi-space-size=1`
Object.assign(process.env, {
  ...{ MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '131072' },
  SOAK_LEAK: values.leak,
})
let server = await start()
const traffic = new Traffic(() => server.url, problems)
await traffic.undisturbed()

let running = true
let paced = false
let underWay = 0
/** Pending while clients pause. */
let going = Promise.resolve()
const clients = Array.from({ length: CLIENTS }, (_, id) => client(id))
await pass(AROUND_KILL_MS)
await killed()
await traffic.filled()
const warm = requests() + WARM_REQUESTS
await pass(WARM_MS)
while (requests() < warm) await pass(1000)
paced = true
await pass(WARM_MS)
inUseMB.push(await inUse())
for (let watchedMs = 0; watchedMs < WATCHED_MS; watchedMs += BETWEEN_MS) {
  const before = requests()
  const ms = Math.min(BETWEEN_MS, WATCHED_MS - watchedMs)
  await watched(ms)
  const kept = (requests() - before) / ((CLIENTS * ms) / BEAT_MS)
  inUseMB.push(await inUse())
  const load = `${requests()} requests, ${Math.round(kept * 100)} % of the beat`
  console.log(`${new Date().toTimeString().slice(0, 8)} in use: ${inUseMB.join(', ')} MB after ${load}`)
}
paced = false
await killed()
await pass(AROUND_KILL_MS)
running = false
await Promise.all(clients)
await traffic.all().catch(error => problems.push(`after the kill: ${error.message}`))
await stopped()

const [first, last] = [inUseMB[0], inUseMB.at(-1)]
if (!(last <= first * 1.05)) problems.push(`memory in use grew from ${first} to ${last} MB`)
console.log(JSON.stringify({ minutes: Number(values.minutes), counts, inUseMB, busyMB, problems }))
process.exitCode = problems.length === 0 ? 0 : 1

function requests() {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

async function client(id) {
  const kinds = Object.entries(traffic.kinds)
  for (let round = id; running; round += CLIENTS) {
    const [name, kind] = kinds[(Math.floor(round / CLIENTS) * 3 + id) % kinds.length]
    await beat()
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

/** Resolves when the clients' next requests begin. */
function beat() {
  return paced && pass(BEAT_MS - (Date.now() % BEAT_MS))
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

/** Resident memory without garbage, while nothing is asked. */
async function inUse() {
  let resume = () => {}
  going = new Promise(resolve => {
    resume = resolve
  })
  const asked = Date.now()
  while (underWay > 0) {
    await pass(100)
    if (Date.now() - asked < HANGS_MS) continue
    console.log(JSON.stringify({ counts, inUseMB, busyMB, problems: [...problems, `${underWay} requests hang`] }))
    process.exit(1)
  }
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < COLLECTIONS; i++) {
    server.process.kill('SIGUSR2')
    await pass(COLLECTING_MS)
    least = Math.min(least, memoryOf(server.process.pid))
  }
  resume()
  return least
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
