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
/** Paths of the build's files, wherever the page is served. */
const OWN = new Set(FILES.map(file => new URL(file, location.href).pathname))
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

scope.addEventListener('activate', event => event.waitUntil(dropOld().then(() => scope.clients.claim())))

/** Removes files of earlier builds, whose names no page asks for any more. */
async function dropOld(): Promise<void> {
  const cache = await caches.open(NAME)
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url)
    if (!OWN.has(pathname) && !ENGINE.test(pathname)) await cache.delete(request)
  }
}

scope.addEventListener('fetch', event => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  const own = origin === location.origin && request.method === 'GET' && !request.headers.has('range')
  if (own && (OWN.has(pathname) || request.mode === 'navigate' || ENGINE.test(pathname))) {
    event.respondWith(newest(request))
  }
})

/** From the network, so that a page and its engine are of one build; from the cache without one. */
async function newest(request: Request): Promise<Response> {
  const cache = await caches.open(NAME)
  try {
    const response = await fetch(request)
    // What there is no room for is still shown.
    if (response.ok) await cache.put(request, response.clone()).catch(() => undefined)
    return response
  } catch (cause) {
    const kept = await cache.match(request, { ignoreSearch: true })
    if (kept === undefined) throw cause
    return kept
  }
}
