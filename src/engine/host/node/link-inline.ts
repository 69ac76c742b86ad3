import { setImmediate } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import type { FromHost, HostEvents, HostLink, ToHost } from '../../types/protocol.ts'
import { Host } from '../host.ts'
import { loadInNode } from './platform.ts'

/** The host in the caller's own thread, over the same messages: each step blocks the event loop. */
export function openInline(events: HostEvents): HostLink {
  const { port1: near, port2: far } = new MessageChannel()
  const host = new Host({ port: far, pause: setImmediate, load: loadInNode })
  const ended = new Promise<void>(resolve => near.once('close', () => resolve()))
  far.on('message', (message: ToHost) => host.receive(message))
  near.on('message', (message: FromHost) => events.message(message))
  far.unref()
  near.unref()
  void ended.then(() => events.closed(null))
  const link: HostLink = {
    post: message => near.postMessage(message),
    hold: pending => (pending ? near.ref() : near.unref()),
    ended: () => ended,
    terminate: () => {
      near.ref()
      link.post({ type: 'dispose' })
      return ended
    },
  }
  return link
}
