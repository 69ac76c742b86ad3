import { Worker } from 'node:worker_threads'
import { WorkerError } from './errors.ts'
import type { FromHost, HostEvents, HostLink, OpenLink, ToHost } from './protocol.ts'

/** The host in a worker thread of Node. */
export const openWorker: OpenLink = events => workerLink(entry(), events)

/** A link to the script that a thread runs. */
export function workerLink(script: URL, events: HostEvents): HostLink {
  // No flags of the caller: a test runner's or a loader's would be run again in the thread and slow its start.
  const worker = new Worker(script, { name: 'latentkit', execArgv: [] })
  const exited = new Promise<void>(resolve => worker.once('exit', () => resolve()))
  let cause: unknown
  worker.on('message', (message: FromHost) => events.message(message))
  worker.on('messageerror', error => {
    cause = error
  })
  worker.on('error', error => {
    cause = error
  })
  worker.once('exit', code => {
    const why = cause instanceof Error ? cause.message : `exit code ${code}`
    const failed = cause !== undefined || code !== 0
    const error = new WorkerError(`The engine's thread ended unexpectedly: ${why}; load the model again.`, { cause })
    events.closed(failed ? error : null)
  })
  return {
    post: (message: ToHost) => worker.postMessage(message),
    hold: pending => (pending ? worker.ref() : worker.unref()),
    ended: () => exited,
    terminate: async () => {
      await worker.terminate()
    },
  }
}

/** Beside this file, of the same kind: `.js` as built, `.ts` where the runtime reads TypeScript itself. */
function entry(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './worker-node.ts' : './worker-node.js', import.meta.url)
}
