/**
 * Keeps the page for use without a network: what a build consists of at once, the engine and the model's texts as they come.
 * Weights are the engine's matter, which keeps them itself.
 */

/** Addresses of the build's files; written by the build. */
declare const FILES: readonly string[]

interface OfflineScope {
  addEventListener(type: 'install' | 'activate' | 'fetch', handler: (event: OfflineEvent) => void): void
  skipWaiting(): Promise<void>
  readonly clients: { claim(): Promise<void> }
}

interface OfflineEvent {
  readonly request: Request
  waitUntil(done: Promise<unknown>): void
  respondWith(response: Promise<Response>): void
}

const scope = globalThis as unknown as OfflineScope
const NAME = 'latentkit-explorer'
/** Of the engine: read again only when a page of another build asks. */
const ENGINE = /\/latentkit\/[\w.-]+\.(?:js|wasm)$/

scope.addEventListener('install', event => {
  event.waitUntil(
    caches
      .open(NAME)
      .then(cache => cache.addAll([...FILES]))
      .then(() => scope.skipWaiting()),
  )
})

scope.addEventListener('activate', event => event.waitUntil(scope.clients.claim()))

scope.addEventListener('fetch', event => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  const own = origin === location.origin && request.method === 'GET' && !request.headers.has('range')
  if (own && (FILES.includes(`.${pathname}`) || request.mode === 'navigate' || ENGINE.test(pathname))) {
    event.respondWith(newest(request))
  }
})

/** From the network, so that a page and its engine are of one build; from the cache without one. */
async function newest(request: Request): Promise<Response> {
  const cache = await caches.open(NAME)
  try {
    const response = await fetch(request)
    if (response.ok) await cache.put(request, response.clone())
    return response
  } catch (cause) {
    const kept = await cache.match(request, { ignoreSearch: true })
    if (kept === undefined) throw cause
    return kept
  }
}
