/** Serves the explorer on a free port. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LOOPBACK } from '../../server/options.ts'
import { siteFiles } from './site.ts'
import { sendFile } from './static-files.ts'

export interface Listening {
  readonly url: string
  close(): Promise<void>
}

interface Where {
  readonly host: string
  /** undefined: the first free port from `FIRST_PORT` on. */
  readonly port: number | undefined
}

const FIRST_PORT = 4500
const PORTS_TRIED = 50

export async function serveExplorer({ host, port }: Where): Promise<Listening> {
  const files = siteFiles()
  const local = LOOPBACK.test(host)
  const server = createServer((request, response) => {
    if (local && !LOOPBACK.test(hostName(request))) return refuse(response)
    // Not `URL`, which throws for `//`.
    const [pathname = '/'] = (request.url ?? '/').split('?', 1)
    const name = pathname === '/' ? 'index.html' : decoded(pathname.slice(1))
    sendFile(files.get(name), request, response)
  })
  await listen(server, host, port)
  const { port: taken, family, address } = server.address() as AddressInfo
  const name = local ? 'localhost' : family === 'IPv6' ? `[${address}]` : address
  return {
    url: `http://${name}:${taken}/`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Pages of other hosts that resolve to this machine are not the user. */
function refuse(response: ServerResponse): void {
  response.writeHead(403, { 'content-type': 'text/plain' }).end('This host is not served; use localhost.\n')
}

function hostName({ headers }: IncomingMessage): string {
  return (headers.host ?? '').replace(/:\d+$/, '')
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

async function listen(server: Server, host: string, port: number | undefined): Promise<void> {
  if (port !== undefined) return listenOn(server, host, port)
  for (let tried = FIRST_PORT; ; tried++) {
    try {
      return await listenOn(server, host, tried)
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!taken || tried - FIRST_PORT >= PORTS_TRIED) throw error
    }
  }
}

function listenOn(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
