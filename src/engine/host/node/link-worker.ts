import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { beginPartial, discardPartial, endPartial } from '../../../files/partial-files.ts'
import { WorkerError } from '../../types/errors.ts'
import type { HostEvents, HostLink, OpenLink, ToHost } from '../../types/protocol.ts'
import { Signs } from '../../types/signs.ts'

/** What to do where a bundler has moved the code. */
const KEEP_EXTERNAL =
  'latentkit runs the model in a thread whose script lies beside its own files: if your program is bundled, keep latentkit ' +
  "out of the bundle (esbuild: --external:latentkit; Vite, Rollup, webpack: external: ['latentkit'])"

/** What a thread begins with. */
export interface ThreadData {
  /** Of `Signs`. */
  readonly shared: SharedArrayBuffer
  /** Takes `PartialFile`s: apart from the host's messages, which are passed on as they come. */
  readonly parts: MessagePort
}

/** A partial file of the thread, begun or complete. */
export interface PartialFile {
  readonly path: string
  readonly begun: boolean
}

/** The host in a worker thread of Node. */
export const openWorker: OpenLink = events => workerLink(entry(), events)

/** A link to the script that a thread runs. */
export function workerLink(script: URL, events: HostEvents): HostLink {
  const signs = new Signs()
  const { port1: near, port2: far } = new MessageChannel()
  const data: ThreadData = { shared: signs.shared, parts: far }
  // No flags of the caller: a test runner's or a loader's would be run again in the thread and slow its start.
  const worker = new Worker(script, { name: 'latentkit', execArgv: [], workerData: data, transferList: [far] })
  const exited = new Promise<void>(resolve => worker.once('exit', () => resolve()))
  let cause: unknown
  const parts = new Set<string>()
  const part = ({ path, begun }: PartialFile) => {
    if (begun) parts.add(path)
    else parts.delete(path)
    if (begun) beginPartial(path)
    else endPartial(path)
  }
  near.on('message', part)
  near.unref()
  worker.on('message', events.message)
  worker.on('messageerror', error => {
    cause = error
  })
  worker.on('error', error => {
    cause = error
  })
  worker.once('exit', code => {
    for (let left = receiveMessageOnPort(near); left; left = receiveMessageOnPort(near)) part(left.message)
    near.close()
    for (const path of parts) discardPartial(path)
    const failed = cause !== undefined || code !== 0
    events.closed(failed ? endedError(script, cause, code) : null)
  })
  return {
    signs,
    post: (message: ToHost) => worker.postMessage(message),
    hold: pending => (pending ? worker.ref() : worker.unref()),
    ended: () => exited,
    terminate: async () => {
      await worker.terminate()
    },
  }
}

function endedError(script: URL, cause: unknown, code: number): WorkerError {
  const why = cause instanceof Error ? cause.message : `exit code ${code}`
  if (/Cannot find (module|package)/.test(why)) {
    const met = why.includes(fileURLToPath(script)) ? `${fileURLToPath(script)} is not there` : why.split('\n', 1)[0]
    return new WorkerError(`The engine's thread cannot be started: ${met}. ${KEEP_EXTERNAL}.`, { cause })
  }
  return new WorkerError(`The engine's thread ended unexpectedly: ${why}.`, { cause })
}

/** As built, the thread is one file (scripts/bundle.mjs); where the runtime reads TypeScript itself, its source. */
function entry(): URL {
  // A bundle for CommonJS has no such address.
  const here = import.meta.url as string | undefined
  if (here === undefined) throw new WorkerError(`The engine's thread cannot be started. ${KEEP_EXTERNAL}.`)
  return new URL(here.endsWith('.ts') ? './worker.ts' : '../../../../bundled/engine-thread.js', here)
}
