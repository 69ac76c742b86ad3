import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import type { FromMasks, StartMasks } from '../thread/protocol.ts'

/** A thread of Node for the masks. It does not keep the process alive. */
export const startMasks: StartMasks = events => {
  const here = import.meta.url
  const script = new URL(here.endsWith('.ts') ? './worker.ts' : './worker.js', here)
  const worker = new Worker(script, { name: 'latentkit grammar', execArgv: [] })
  worker.unref()
  let task: string | undefined
  worker.on('message', (message: FromMasks | ThreadMessage) => {
    if (message.type === 'task') ({ task } = message)
    else events.message(message)
  })
  worker.on('error', error => events.failed(error.message))
  worker.on('exit', code => events.failed(`exit code ${code}`))
  return {
    post: (message, transfer) => worker.postMessage(message, transfer ? [...transfer] : []),
    terminate: () => void worker.terminate(),
    processorTime: () => (task === undefined ? undefined : processorTime(task)),
  }
}

/** What the thread says of itself: how Linux calls it. */
export interface ThreadMessage {
  readonly type: 'task'
  readonly task: string
}

/** Linux alone says from outside, and while the thread is busy, what it has used. */
function processorTime(task: string): number | undefined {
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${task}/schedstat`, 'utf8').split(' ')
    return Number(nanoseconds) / 1e6 || undefined
  } catch {
    return undefined
  }
}

// Up from src and from dist alike; written out, so that bundlers see the file.
const WASM = new URL('../../../prebuilt/grammar.wasm', import.meta.url)

/** The bytes of the library. */
export const readGrammarWasm = (): Promise<Uint8Array> => readFile(WASM)
