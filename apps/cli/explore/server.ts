/** Serves the explorer on a free port, and numbers of a model in Node where there is one. */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BESIDE, META } from '../../explorer/numbers/wire.ts'
import { LOOPBACK } from '../../server/options.ts'
import type { NumbersService } from './numbers-service.ts'
import { siteFiles } from './site.ts'
import { sendFile, sendPage } from './static-files.ts'

export interface Listening {
  readonly url: string
  close(): Promise<void>
}

interface Where {
  readonly host: string
  /** undefined: the first free port from `FIRST_PORT` on. */
  readonly port: number | undefined
  /** A model in Node, which pages ask; undefined: they compute themselves. */
  readonly numbers?: InNode | undefined
  /** A second one, to be seen beside the first. */
  readonly beside?: InNode | undefined
}

export interface InNode {
  readonly name: string
  readonly service: NumbersService
}

const FIRST_PORT = 4500
const PORTS_TRIED = 50

export async function serveExplorer({ host, port, numbers, beside }: Where): Promise<Listening> {
  const files = siteFiles()
  const local = LOOPBACK.test(host)
  const models = { ...(numbers && { main: numbers }), ...(beside && { beside }) }
  /** Who answers at an address, and what it is called there. */
  const answering = (name: string) =>
    name.startsWith(BESIDE) ? ([beside, name.slice(BESIDE.length)] as const) : ([numbers, name] as const)
  const server = createServer((request, response) => {
    if (local && !LOOPBACK.test(hostName(request))) return refuse(response)
    const name = nameOf(request)
    const [model, called] = answering(name)
    if (model?.service.owns(called)) {
      model.service.answer(called, request, response).catch(() => response.destroy())
    } else if (numbers && name === 'index.html') sendPage(pageFor(files.get(name) ?? '', models), response)
    else sendFile(files.get(name), request, response)
  })
  server.on('upgrade', (request, socket) => {
    const [model, called] = answering(nameOf(request))
    if (model && LOOPBACK.test(hostName(request))) model.service.open(called, request, socket)
    else socket.destroy()
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

/** The page, which learns from a `<meta>` for each that there are models in Node. */
function pageFor(file: string, models: Partial<Record<keyof typeof META, InNode>>): string {
  const metas = Object.entries(models).map(([slot, { name }]) => {
    const escaped = name.replace(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`)
    return `<meta name="${META[slot as keyof typeof META]}" content="${escaped}">`
  })
  // A function: in a text, `$&` of a name would stand for something else.
  return readFileSync(file, 'utf8').replace('</head>', () => `${metas.join('')}</head>`)
}

/** Of a file below the page's address. */
function nameOf({ url = '/' }: IncomingMessage): string {
  // Not `URL`, which throws for `//`.
  const [pathname = '/'] = url.split('?', 1)
  return pathname === '/' ? 'index.html' : decoded(pathname.slice(1))
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
