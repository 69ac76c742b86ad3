/** `latentkit explore`: serves the explorer's page, with a model in Node where one is named, or writes it as files. */
import { totalmem } from 'node:os'
import { type Command, Option } from 'commander'
import { LOOPBACK } from '../../server/options.ts'
import { UsageError } from '../exit.ts'
import type { InNode, Listening } from '../explore/server.ts'
import { watchInterrupt } from '../interrupt.ts'
import { loadEngine } from '../load-engine.ts'
import { modelArgument } from '../model-argument.ts'
import { addModelOptions, type LoadFlags } from '../options/load.ts'
import { integer } from '../options/parsers.ts'
import { note } from '../output/stdout.ts'

interface Flags extends LoadFlags {
  readonly host: string
  readonly port?: number
  readonly open: boolean
  readonly out?: string
}

export function addExplore(program: Command): void {
  const command = program
    .command('explore')
    .summary('see attention and latents in a browser')
    .description(
      'Serves a page that shows what attention does and what a latent keeps, in a real model. Without a model the page computes by itself; one that is named is computed in Node, whatever its size. Nothing is uploaded.',
    )
    .argument('[model]', 'a folder, a GGUF file, or org/name on the hub (default: the bundled model, in the page)')
    .argument('[beside]', 'another one to be seen beside it, such as its latentified twin')
    .addOption(
      new Option('--port <n>', 'listen here (default: the first free port from 4500 on)').argParser(integer(0, 65_535)),
    )
    .addOption(new Option('--host <name>', 'listen for other machines, too').default('localhost'))
    .addOption(new Option('--no-open', 'only print the address'))
    .addOption(new Option('--out <folder>', 'write the page as files for any web server, and end'))
  addModelOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit explore
  $ latentkit explore ./my-model.gguf
  $ latentkit explore ./smollm2 ./smollm2-half
  $ latentkit explore --port 8000 --no-open
  $ latentkit explore --out ./site`,
    )
    .action(explore)
}

async function explore(
  named: string | undefined,
  other: string | undefined,
  { host, port, open, out, ...flags }: Flags,
  command: Command,
): Promise<void> {
  if (out !== undefined) {
    if (named !== undefined) {
      throw new UsageError('a model and --out were given; files have nobody who computes, so leave one of them out')
    }
    const { writeSite } = await import('../explore/site.ts')
    note(`${writeSite(out)} files in ${out}. A server should send the two headers of docs/browser.md with them.`)
    return
  }
  const alone = command.options.find(option => {
    const name = option.attributeName()
    return name in flags && command.getOptionValueSource(name) === 'cli'
  })
  if (named === undefined && alone !== undefined) {
    throw new UsageError(`${alone.long} says how a model is computed in Node; name the model, too`)
  }
  const names = [named, other].filter(name => name !== undefined)
  const models: InNode[] = []
  let server: Listening | undefined
  try {
    for (const name of names) models.push(await numbersIn(name, host, flags, names.length))
    const [numbers, beside] = models
    const { serveExplorer } = await import('../explore/server.ts')
    server = await serveExplorer({ host, port, numbers, beside }).catch(error => {
      throw listenProblem(error, host, port)
    })
    note(`The explorer is on ${server.url} (Ctrl-C ends it)`)
    if (open && process.stderr.isTTY) {
      const { openInBrowser } = await import('../explore/open-browser.ts')
      await openInBrowser(server.url)
    }
    await stopped()
  } finally {
    for (const { service } of models) await service.close()
    await server?.close()
  }
}

/** What texts of all pages together may keep, beyond the engine's own bound where the machine has more. */
const SHARE_OF_MEMORY = 0.25

/** One of `count` models that share it. */
async function numbersIn(named: string, host: string, flags: LoadFlags, count: number): Promise<InNode> {
  if (!LOOPBACK.test(host)) {
    throw new UsageError(
      `--host ${host} and a model were given; a model in Node answers pages of this machine only, so leave --host out`,
    )
  }
  const { signal, release } = watchInterrupt()
  const engine = await loadEngine(modelArgument(named), { ...flags, diskCache: false }, signal)
  release()
  const { numbersOf } = await import('../../explorer/numbers/of-engine.ts')
  const { NumbersService } = await import('../explore/numbers-service.ts')
  const maxBytes = Math.floor(Math.max(2 ** 30, totalmem() * SHARE_OF_MEMORY) / count)
  return { name: engine.info.name, service: new NumbersService(numbersOf(engine, 'node', maxBytes)) }
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
