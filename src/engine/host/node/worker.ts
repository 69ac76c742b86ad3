/** What runs in the worker thread of Node: the host, wired to the thread's port. Imports nothing it does not need. */
import { parentPort, workerData } from 'node:worker_threads'
import { reportPartialsTo } from '../../../files/partial-files.ts'
import { onWork } from '../../../tokenizer/work.ts'
import type { FromHost, ToHost } from '../../types/protocol.ts'
import { Signs } from '../../types/signs.ts'
import { Host } from '../host.ts'
import { loadInNode } from './platform.ts'

if (parentPort) {
  const port = parentPort
  const signs = new Signs(workerData as SharedArrayBuffer)
  const post = (message: FromHost) => port.postMessage(message)
  onWork(() => signs.showWork())
  reportPartialsTo((path, begun) => post({ type: 'part', path, begun }))
  const host = new Host({
    port: { post, close: () => port.close() },
    // Messages are taken in between two turns of the loop.
    pause: () => new Promise(resolve => setImmediate(resolve)),
    load: loadInNode,
    computing: now => {
      signs.computing = now
    },
  })
  port.on('message', (message: ToHost) => {
    signs.showMessage()
    host.receive(message)
  })
}
