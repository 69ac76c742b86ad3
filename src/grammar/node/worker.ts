/** What runs in the thread of the masks in Node. */
import os from 'node:os'
import { parentPort } from 'node:worker_threads'
import type { ToMasks } from '../thread/protocol.ts'
import { MaskService } from '../thread/service.ts'

/** Of the thread among the others of the process: 19 is the least. */
const NICENESS = 5

if (parentPort) {
  // Where threads are more than cores, a compilation would stop one of those that compute for milliseconds at a time, and
  // the others would wait for it. Only Linux has a niceness for each thread; elsewhere it would be that of the process.
  if (process.platform === 'linux') os.setPriority(0, NICENESS)
  const port = parentPort
  const service = new MaskService((message, transfer) => port.postMessage(message, transfer ? [...transfer] : []))
  port.on('message', (message: ToMasks) => service.receive(message))
}
