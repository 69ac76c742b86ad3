import { navigatorLocks } from '../../../opfs/opfs.ts'
import { WorkerError } from '../../types/errors.ts'
import type { FromHost, HostEvents, HostLink, ToHost } from '../../types/protocol.ts'
import { Signs } from '../../types/signs.ts'
import type { Assets } from './assets.ts'
import type { GivenModel } from './source.ts'
import { startWorker, type WebWorker, web } from './web-globals.ts'

/** The first message to the worker. */
export interface WorkerStart {
  readonly assets: Assets
  readonly model: GivenModel
  /** Whether downloads are kept. */
  readonly keep: boolean
  /** Of `Signs`; only where memory can be shared. */
  readonly shared: SharedArrayBuffer | undefined
  /** The lock that the worker holds for as long as it lives. */
  readonly life: string
}

/** What a worker says of itself: that it holds the lock of its life, and, as its last message, that it ends. */
export type WorkerState = { readonly type: 'alive' } | { readonly type: 'ended' }

const CANNOT_START =
  'its script cannot be loaded. Copy the files of latentkit/dist/browser beside your bundle, or name their folder with ' +
  '`assets`; under a content security policy, allow worker-src for it (docs/browser.md)'

/** Some browsers refuse a script at once: of another origin, or against the page's policy. */
function begunWorker(script: string): WebWorker {
  try {
    return startWorker(script, 'latentkit')
  } catch (error) {
    const { message } = error as Error
    throw new WorkerError(`The engine's thread cannot be started: ${message}: ${CANNOT_START}.`, { cause: error })
  }
}

/** The host in a dedicated worker of a page. Throws WorkerError where the browser refuses to start one. */
export function openWorker(start: Omit<WorkerStart, 'shared' | 'life'>, events: HostEvents): HostLink {
  const signs = web.crossOriginIsolated ? new Signs() : undefined
  const worker = begunWorker(start.assets['latentkit-worker.js'])
  let begun = false
  let end = () => {}
  const ended = new Promise<void>(resolve => {
    end = resolve
  })
  // Unique within the origin, also where there is no `randomUUID`.
  const life = `latentkit/worker/${performance.timeOrigin}-${performance.now()}-${Math.random()}`
  const watching = new AbortController()
  const close = (error: Error | null) => {
    watching.abort()
    worker.onmessage = worker.onerror = worker.onmessageerror = null
    worker.terminate()
    end()
    events.closed(error)
  }
  // Browsers end workers without a word; then their locks are free.
  const watch = () => {
    const died = async () => close(new WorkerError("The engine's thread ended unexpectedly: the browser has ended it."))
    navigatorLocks()
      ?.request(life, { signal: watching.signal }, died)
      .catch(() => {})
  }
  worker.onmessage = ({ data }) => {
    begun = true
    const message = data as FromHost | WorkerState
    if (message.type === 'ended') close(null)
    else if (message.type === 'alive') watch()
    else events.message(message)
  }
  worker.onerror = event => {
    event.preventDefault()
    const why = event.message || (begun ? 'an error without a message' : CANNOT_START)
    close(new WorkerError(`The engine's thread ${begun ? 'ended unexpectedly' : 'cannot be started'}: ${why}.`))
  }
  worker.onmessageerror = () => close(new WorkerError("The engine's thread sent what cannot be read here."))
  worker.postMessage({ ...start, shared: signs?.shared, life } satisfies WorkerStart)
  return {
    ...(signs && { signs }),
    post: (message: ToHost) => worker.postMessage(message),
    // A page ends when its user leaves it, whatever is under way.
    hold: () => {},
    ended: () => ended,
    terminate: async () => close(null),
  }
}
