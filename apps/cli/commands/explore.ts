/** `latentkit explore`: serves the explorer's page, or writes it as files. */
import { type Command, Option } from 'commander'
import { UsageError } from '../exit.ts'
import { integer } from '../options/parsers.ts'
import { note } from '../output/stdout.ts'

interface Flags {
  readonly host: string
  readonly port?: number
  readonly open: boolean
  readonly out?: string
}

export function addExplore(program: Command): void {
  program
    .command('explore')
    .summary('see attention and latents in a browser')
    .description(
      'Serves a page that shows what attention does and what a latent keeps, in a real model. The page computes by itself; nothing is uploaded.',
    )
    .addOption(
      new Option('--port <n>', 'listen here (default: the first free port from 4500 on)').argParser(integer(0, 65_535)),
    )
    .addOption(new Option('--host <name>', 'listen for other machines, too').default('localhost'))
    .addOption(new Option('--no-open', 'only print the address'))
    .addOption(new Option('--out <folder>', 'write the page as files for any web server, and end'))
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit explore
  $ latentkit explore --port 8000 --no-open
  $ latentkit explore --out ./site`,
    )
    .action(explore)
}

async function explore({ host, port, open, out }: Flags): Promise<void> {
  if (out !== undefined) {
    const { writeSite } = await import('../explore/site.ts')
    note(`${writeSite(out)} files in ${out}. A server should send the two headers of docs/browser.md with them.`)
    return
  }
  const { serveExplorer } = await import('../explore/server.ts')
  const server = await serveExplorer({ host, port }).catch(error => {
    throw listenProblem(error, host, port)
  })
  try {
    note(`The explorer is on ${server.url} (Ctrl-C ends it)`)
    if (open && process.stderr.isTTY) {
      const { openInBrowser } = await import('../explore/open-browser.ts')
      await openInBrowser(server.url)
    }
    await stopped()
  } finally {
    await server.close()
  }
}

function listenProblem(error: unknown, host: string, port: number | undefined): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE' && port === undefined)
    return new UsageError(`the ports of ${host} from 4500 on are taken; choose another with --port`)
  if (code === 'EADDRINUSE') return new UsageError(`port ${port} of ${host} is taken; leave --port out for a free one`)
  if (code === 'EACCES') return new UsageError(`port ${port} may not be used here; expected one from 1024 on`)
  if (code === 'ENOTFOUND' || code === 'EADDRNOTAVAIL') return new UsageError(`${host} is not a name of this machine`)
  return error
}

function stopped(): Promise<void> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
