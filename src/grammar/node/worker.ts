/** What runs in the thread of the masks in Node. */
import { parentPort } from 'node:worker_threads'
import type { ToMasks } from '../thread/protocol.ts'
import { MaskService } from '../thread/service.ts'

if (parentPort) {
  const port = parentPort
  const service = new MaskService((message, transfer) => port.postMessage(message, transfer ? [...transfer] : []))
  port.on('message', (message: ToMasks) => service.receive(message))
}
