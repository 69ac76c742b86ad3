/** What runs in the worker thread of Node: the host, wired to the thread's port. Imports nothing it does not need. */
import { parentPort } from 'node:worker_threads'
import { Host } from './host.ts'
import { loadParts } from './load-parts.ts'
import type { ToHost } from './protocol.ts'

if (parentPort) {
  const port = parentPort
  const host = new Host({
    port: { post: message => port.postMessage(message), close: () => port.close() },
    // Messages are taken in between two turns of the loop.
    pause: () => new Promise(resolve => setImmediate(resolve)),
    load: loadParts,
  })
  port.on('message', (message: ToHost) => host.receive(message))
}
