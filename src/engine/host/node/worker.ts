/** What runs in the worker thread of Node: the host, wired to the thread's port. Imports nothing it does not need. */
import { setImmediate } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { reportPartialsTo } from '../../../files/partial-files.ts'
import { onWork } from '../../../tokenizer/work.ts'
import type { ToHost } from '../../types/protocol.ts'
import { Signs } from '../../types/signs.ts'
import { Host } from '../host.ts'
import type { PartialFile, ThreadData } from './link-worker.ts'
import { loadInNode } from './platform.ts'

if (parentPort) {
  const { shared, parts } = workerData as ThreadData
  const signs = new Signs(shared)
  onWork(() => signs.showWork())
  reportPartialsTo((path, begun) => parts.postMessage({ path, begun } satisfies PartialFile))
  // Deno's port has no `close`; its thread has.
  const port: { close?: () => void } = parentPort
  port.close ??= () => (globalThis as { close?(): void }).close?.()
  // Messages are taken in between two turns of the loop.
  const host = new Host({ port: parentPort, pause: setImmediate, load: loadInNode, signs })
  parentPort.on('message', (message: ToHost) => {
    signs.showMessage()
    host.receive(message)
  })
}
