/** What pages and workers of the web offer beside what Node has, too; TypeScript has it in the browser's library only. */

/** A `Worker`. */
export interface WebWorker {
  onmessage: ((event: { readonly data: unknown }) => void) | null
  onerror: ((event: WebWorkerError) => void) | null
  onmessageerror: (() => void) | null
  postMessage(message: unknown, transfer?: readonly unknown[]): void
  terminate(): void
}

/** An `ErrorEvent`; of a script that cannot be loaded a plain event without a message. */
interface WebWorkerError {
  readonly message?: string
  preventDefault(): void
}

interface WebGlobals {
  readonly Worker: new (url: string, options?: { readonly type?: 'module'; readonly name?: string }) => WebWorker
  readonly crossOriginIsolated?: boolean
  readonly isSecureContext?: boolean
  readonly location?: { readonly href: string; readonly origin: string }
  readonly document?: { readonly baseURI: string }
  readonly navigator?: { readonly hardwareConcurrency?: number }
}

export const web = globalThis as unknown as WebGlobals

/** Of a worker: its end of the line to whoever started it. */
export interface WorkerScope {
  onmessage: ((event: { readonly data: unknown }) => void) | null
  postMessage(message: unknown, transfer?: readonly unknown[]): void
  close(): void
}

/**
 * Starts a module as a worker. A script of another origin (a CDN) may not be one, so a script of this page that imports it
 * takes its place; that needs `worker-src blob:` where the page has a content security policy.
 */
export function startWorker(url: string, name: string): WebWorker {
  const origin = web.location?.origin
  if (origin === undefined || origin === 'null' || new URL(url).origin === origin) {
    return new web.Worker(url, { type: 'module', name })
  }
  const script = URL.createObjectURL(new Blob([`import ${JSON.stringify(url)}`], { type: 'text/javascript' }))
  const worker = new web.Worker(script, { type: 'module', name })
  setTimeout(() => URL.revokeObjectURL(script), 10_000)
  return worker
}
