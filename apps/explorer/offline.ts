/**
 * Keeps the page for use without a network: what a build consists of at once, the engine's files as they come. Models are the engine's
 * matter, which keeps them itself.
 */

/** Addresses of the build's files, and of the engine's; written by the build. */
declare const FILES: readonly string[]
declare const ENGINE_FILES: readonly string[]
/** A hash of the engine's files. */
declare const ENGINE_HASH: string

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
const PAGE = 'latentkit-explorer'
/** Engines of other builds are in caches of other names, whose files do not go with this one's. */
const ENGINE_OF_ANY = 'latentkit-explorer-engine-'
const ENGINE = ENGINE_OF_ANY + ENGINE_HASH
/** Paths of files, wherever the page is served. */
const pathsOf = (files: readonly string[]) => new Set(files.map(file => new URL(file, location.href).pathname))
const OWN = pathsOf(FILES)
const OF_ENGINE = pathsOf(ENGINE_FILES)

scope.addEventListener('install', event => event.waitUntil(keepThis().then(() => scope.skipWaiting())))

async function keepThis(): Promise<void> {
  await (await caches.open(PAGE)).addAll([...FILES])
  // What a page has used of an earlier engine it will use of this one, perhaps without a network.
  const used = new Set<string>()
  for (const name of await oldEngines()) {
    for (const { url } of await (await caches.open(name)).keys()) used.add(new URL(url).pathname)
  }
  await (await caches.open(ENGINE)).addAll([...used].filter(path => OF_ENGINE.has(path)))
}

scope.addEventListener('activate', event => event.waitUntil(dropOld().then(() => scope.clients.claim())))

/** Removes what earlier builds left. */
async function dropOld(): Promise<void> {
  for (const name of await oldEngines()) await caches.delete(name)
  const page = await caches.open(PAGE)
  for (const request of await page.keys()) {
    if (!OWN.has(new URL(request.url).pathname)) await page.delete(request)
  }
}

async function oldEngines(): Promise<string[]> {
  return (await caches.keys()).filter(name => name.startsWith(ENGINE_OF_ANY) && name !== ENGINE)
}

scope.addEventListener('fetch', event => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (origin !== location.origin || request.method !== 'GET' || request.headers.has('range')) return
  if (OF_ENGINE.has(pathname)) event.respondWith(newest(request, ENGINE))
  else if (OWN.has(pathname) || request.mode === 'navigate') event.respondWith(newest(request, PAGE))
})

/** From the network, so that a page and its engine are of one build; from the cache without one. */
async function newest(request: Request, name: string): Promise<Response> {
  const cache = await caches.open(name)
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
