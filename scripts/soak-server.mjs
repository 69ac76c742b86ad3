// Mixed traffic against `latentkit serve` for some minutes: answers, streams, clients that leave or read slowly, broken bodies, prompts
// that are too long, and a kill with a restart in the middle. Fails if a status is 500, if a text differs from the undisturbed one, or if
// resident memory grows by more than 5 %. usage: node scripts/soak-server.mjs [--minutes 5]
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' } } })
const MS = Number(values.minutes) * 60_000
const CLIENTS = 8
const LONG = 'word '.repeat(4000)
/** Memory is compared after this share of the time: caches are full then. */
const WARM = 0.3

const KINDS = [whole, streamed, conversation, schema, broken, tooLong, leaves, readsSlowly]
const counts = {}
const problems = []
let server = await start()
const expected = new Map()
for (let seed = 0; seed < 20; seed++) expected.set(seed, await text(seed, false))

const begun = Date.now()
const elapsed = () => (Date.now() - begun) / MS
const resident = []
const watch = setInterval(() => {
  if (elapsed() > WARM) resident.push(memoryOf(server.process.pid))
}, 1000)
let killed = false
await Promise.all(Array.from({ length: CLIENTS }, (_, i) => client(i)))
clearInterval(watch)
const stopped = new Promise(resolve => server.process.once('exit', resolve))
server.process.kill('SIGTERM')
const code = await stopped
if (code !== 0) problems.push(`SIGTERM ended it with ${code}`)
const third = Math.max(1, Math.floor(resident.length / 3))
const [first, last] = [middle(resident.slice(0, third)), middle(resident.slice(-third))]
const growth = last / first - 1
if (growth > 0.05) problems.push(`resident memory grew from ${first} to ${last} MB`)
console.log(JSON.stringify({ minutes: Number(values.minutes), counts, residentMB: [first, last], problems }))
process.exitCode = problems.length === 0 ? 0 : 1

async function client(id) {
  for (let round = id; elapsed() < 1; round += CLIENTS) {
    // Once, before memory is watched, everything is lost and begins anew.
    if (id === 0 && !killed && elapsed() > WARM / 2) {
      killed = true
      server.killed = true
      server.process.kill('SIGKILL')
      server = await start()
    }
    const kind = KINDS[(Math.floor(round / CLIENTS) * 3 + id) % KINDS.length]
    counts[kind.name] = (counts[kind.name] ?? 0) + 1
    const at = server
    try {
      await kind(round % expected.size)
    } catch (error) {
      // Who was asked may have been killed.
      if (!at.killed) problems.push(`${kind.name}: ${error.message}`)
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }
}

async function whole(seed) {
  same(seed, await text(seed, false))
}
async function streamed(seed) {
  same(seed, await text(seed, true))
}
async function conversation(seed) {
  const messages = [{ role: 'user', content: 'Tell me a story of a dog.' }]
  await status(200, '/v1/chat/completions', { messages, max_tokens: 20, seed, n: 1 + (seed % 3) })
}
async function schema(seed) {
  const properties = { n: { type: 'integer', maximum: 99 } }
  const held = { type: 'object', properties, required: ['n'], additionalProperties: false }
  const body = { prompt: 'x', max_tokens: 60, seed, guided_json: held }
  await status(200, '/v1/completions', body)
}
async function broken() {
  await status(400, '/v1/completions', '{"prompt": ')
  await status(400, '/v1/completions', { prompt: 'x', top_p: 7 })
}
async function tooLong() {
  await status(400, '/v1/completions', { prompt: LONG })
}
function leaves(seed) {
  return new Promise(resolve => {
    const body = { prompt: seed % 2 ? 'Once' : LONG.slice(0, 8000), max_tokens: 1000, stream: seed % 3 === 0 }
    const sent = request(`${server.url}/v1/completions`, { method: 'POST' })
    sent.on('error', () => {})
    sent.on('close', resolve)
    sent.end(JSON.stringify(body))
    setTimeout(() => sent.destroy(), 20 + seed * 10)
  })
}
function readsSlowly(seed) {
  return new Promise((resolve, reject) => {
    const sent = request(`${server.url}/v1/completions`, { method: 'POST' }, response => {
      response.on('data', () => {
        response.pause()
        setTimeout(() => response.resume(), 20)
      })
      response.on('end', resolve)
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(JSON.stringify({ prompt: 'Once', max_tokens: 30, seed, stream: true }))
  })
}

async function text(seed, stream) {
  const body = { prompt: 'Once upon a time', max_tokens: 40, seed, stream }
  const response = await post('/v1/completions', body)
  if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`)
  if (!stream) return (await response.json()).choices[0].text
  const chunks = (await response.text()).split('\n\n').filter(line => line.startsWith('data: {'))
  return chunks.map(line => JSON.parse(line.slice(6)).choices[0]?.text ?? '').join('')
}

function same(seed, written) {
  if (written !== expected.get(seed)) problems.push(`seed ${seed}: ${JSON.stringify(written)}`)
}

async function status(wanted, path, body) {
  const response = await post(path, body)
  const answer = await response.text()
  if (response.status !== wanted) throw new Error(`${path} gave ${response.status}: ${answer.slice(0, 200)}`)
}

function post(path, body) {
  const sent = typeof body === 'string' ? body : JSON.stringify(body)
  return fetch(server.url + path, { method: 'POST', body: sent })
}

/** Resolves when it answers. */
function start() {
  const args = ['dist/apps/cli/main.js', 'serve', 'tales-mla-8m', '--port', '0', '--no-disk-cache', '--log', 'none']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  return new Promise((resolve, reject) => {
    let said = ''
    child.once('exit', exit => reject(new Error(`the server ended with ${exit}: ${said}`)))
    child.stderr.on('data', part => {
      said += part
      const [url] = /http:\S+/.exec(said) ?? []
      if (url) resolve({ process: child, url, killed: false })
    })
  })
}

function memoryOf(pid) {
  const [, kb] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kb) / 1024)
}

function middle(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}
