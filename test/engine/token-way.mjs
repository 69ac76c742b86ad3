/**
 * Prints the files of `src` that one token of a steady text passes through, in the caller's thread and in the worker's, as
 * JSON: those with a function that V8 saw running in a window of a few steps which repeat a recorded one.
 */
import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { SourceMap } from 'node:module'
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Engine } from 'latentkit'

const [, , model] = process.argv
const dist = new URL('../../dist/', import.meta.url).href
const root = fileURLToPath(new URL('..', dist))
const maps = new Map()
const caller = new Session()
caller.connect()
const worker = await workerInspector(caller)
// An inspector's answers hold no process.
const alive = setInterval(() => {}, 1000)
const engine = await Engine.load(model, { threads: 1, offline: true, kernels: 'wasm' })
for (const thread of [caller, worker]) {
  await thread.post('Profiler.enable')
  await thread.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
}
let best = null
const text = engine.generate('Once upon a time, there was a little girl.', { maxTokens: 400, ignoreEos: true, seed: 1 })
let tokens = 0
let previous = 0
for await (const _ of text) {
  tokens++
  if (tokens < 40 || tokens < previous + 8) continue
  previous = tokens
  const [up, down] = await Promise.all([caller, worker].map(filesRun))
  const steps = down.calls('nn/step', 'planStep')
  // A block is full only now and then, and so is the way of its rows to the tree.
  const plain = down.calls('cache/pool', 'take') === 0
  const whole =
    steps > 2 && down.calls('engine/wire/outbox', 'flush') > 0 && up.calls('engine/wire/generation', 'push') > 0
  if (whole && plain && !(best?.worker.length < down.files.length))
    best = { steps, caller: up.files, worker: down.files }
}
await engine.dispose()
clearInterval(alive)
console.log(JSON.stringify(best))

/** What has run in a thread since it was asked last. */
async function filesRun(thread) {
  const { result } = await thread.post('Profiler.takePreciseCoverage')
  const ran = result.flatMap(({ url, functions }) => {
    if (!url.startsWith(dist)) return []
    return functions
      .map(({ functionName: name, ranges: [{ startOffset, count }] }) => ({ url, startOffset, name, count }))
      .filter(({ count }) => count > 0)
  })
  const called = ran.map(({ url, startOffset, ...rest }) => ({ ...rest, file: sourceOf(url, startOffset) }))
  return {
    files: [...new Set(called.map(({ file }) => file))].sort(),
    calls: (file, name) => called.find(one => one.file === `src/${file}.ts` && one.name === name)?.count ?? 0,
  }
}

/** The source behind a place in a built file: the thread's is made of many. */
function sourceOf(url, offset) {
  if (!maps.has(url)) {
    const file = fileURLToPath(url)
    const lines = [0, ...[...readFileSync(file, 'utf8').matchAll(/\n/g)].map(({ index }) => index + 1)]
    const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')))
    maps.set(url, { map, lines, found: new Map() })
  }
  const { map, lines, found } = maps.get(url)
  if (!found.has(offset)) {
    const line = lines.findLastIndex(start => start <= offset)
    const { originalSource } = map.findEntry(line, offset - lines[line])
    found.set(
      offset,
      relative(root, fileURLToPath(new URL(originalSource, url)))
        .split(sep)
        .join('/'),
    )
  }
  return found.get(offset)
}

/** Talks to the first worker thread that starts. */
async function workerInspector(session) {
  const attached = new Promise(resolve => session.once('NodeWorker.attachedToWorker', ({ params }) => resolve(params)))
  const waiting = new Map()
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    const { id, result } = JSON.parse(params.message)
    waiting.get(id)?.(result)
    waiting.delete(id)
  })
  await session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
  let next = 0
  return {
    async post(method, params = {}) {
      const { sessionId } = await attached
      const id = next++
      const answer = new Promise(resolve => waiting.set(id, resolve))
      await session.post('NodeWorker.sendMessageToWorker', {
        sessionId,
        message: JSON.stringify({ id, method, params }),
      })
      return answer
    },
  }
}
