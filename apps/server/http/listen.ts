/** Node's HTTP server around the application: its address, its timeouts, its end. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import { OptionError } from '../../../src/index.ts'
import type { Tls } from './tls.ts'

export interface Listening {
  readonly host: string
  readonly port: number
  readonly url: string
  /** Takes no more connections; resolves when those that are open have ended. */
  close(): Promise<void>
  /** Resolves when every answer has been handed to its socket, or its reader has gone. */
  answered(): Promise<void>
  /** Ends what is still open. */
  cut(): void
}

/** What a system says of an address that cannot be listened on. */
function refused(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port is ${port}, on which another program listens at ${host}; expected a free one (0: any)`,
    EACCES: `port is ${port}, on which this user may not listen; expected one from 1024 on`,
    EADDRNOTAVAIL: `host is ${host}, which is no address of this machine; expected 127.0.0.1, 0.0.0.0 (all), or one of its own`,
    ENOTFOUND: `host is ${host}, a name without an address; expected a name or an address of this machine`,
  }
  const reason = reasons[error.code ?? '']
  return reason === undefined ? error : new OptionError(reason, { cause: error })
}

/** Seconds that proxies keep idle connections: theirs must end first. */
const KEEP_ALIVE_S = 75

/** Rejects where the address cannot be listened on: OptionError, where another one would do. */
export async function listen(app: Hono, host: string, port: number, tls?: Tls): Promise<Listening> {
  const secure = tls && { createServer: createHttpsServer, serverOptions: tls }
  const server = createAdaptorServer({ fetch: app.fetch, ...secure }) as Server
  server.keepAliveTimeout = KEEP_ALIVE_S * 1000
  server.headersTimeout = (KEEP_ALIVE_S + 5) * 1000
  // Not the connections: one that a client has opened and not used yet would be waited for.
  let answers = 0
  const none: (() => void)[] = []
  server.on('request', (_, response) => {
    answers++
    response.once('close', () => {
      answers--
      if (answers === 0) for (const wake of none.splice(0)) wake()
    })
  })
  server.listen(port, host)
  await once(server, 'listening').catch(error => {
    throw refused(error, host, port)
  })
  const address = server.address() as AddressInfo
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    host: address.address,
    port: address.port,
    url: `${tls ? 'https' : 'http'}://${shown}:${address.port}`,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      await closed
    },
    answered: () => (answers === 0 ? Promise.resolve() : new Promise(resolve => none.push(resolve))),
    cut: () => server.closeAllConnections(),
  }
}
