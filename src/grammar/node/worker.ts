/** What runs in the thread of the masks in Node. */
import { readlinkSync } from 'node:fs'
import os from 'node:os'
import { parentPort } from 'node:worker_threads'
import type { ToMasks } from '../thread/protocol.ts'
import { MaskService } from '../thread/service.ts'
import type { ThreadMessage } from './thread.ts'

/** How much nicer the thread is than the others of the process. */
const NICER = 5
/** The system's largest niceness. */
const NICEST = 19

/**
 * Where threads are more than cores, a compilation would stop one of those that compute for milliseconds at a time, and
 * the others would wait for it. Only Linux has a niceness for each thread; elsewhere it would be that of the process.
 */
function yieldToOthers(): void {
  if (process.platform !== 'linux') return
  try {
    os.setPriority(0, Math.min(os.getPriority(0) + NICER, NICEST))
  } catch {
    // A sandbox may forbid it; masks are worth more than their niceness.
  }
}

/** How Linux calls this thread, so that its starter can ask what it has used. */
function ownTask(): ThreadMessage | undefined {
  try {
    const task = readlinkSync('/proc/thread-self').split('/').at(-1)
    return task === undefined ? undefined : { type: 'task', task }
  } catch {
    return undefined
  }
}

if (parentPort) {
  yieldToOthers()
  const port = parentPort
  const task = process.platform === 'linux' ? ownTask() : undefined
  if (task) port.postMessage(task)
  const service = new MaskService((message, transfer) => port.postMessage(message, transfer ? [...transfer] : []))
  port.on('message', (message: ToMasks) => service.receive(message))
}
