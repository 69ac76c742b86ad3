import { type Command, Option } from 'commander'
import type { Server } from '../../server/index.ts'
import { SERVER_OPTIONS, type ServerOptions } from '../../server/options.ts'
import { cacheFolder, defaultModel, withEnvironment } from '../environment.ts'
import { EXIT, UsageError } from '../exit.ts'
import { hubOptions } from '../hub.ts'
import { engineFlag } from '../options/engine-flags.ts'
import { addLoadOptions, type LoadFlags, toLoadOptions } from '../options/load.ts'
import { bytes, tokens } from '../options/parsers.ts'
import { note } from '../output/stdout.ts'
import { readTextFile } from '../text-input.ts'

interface Flags extends LoadFlags {
  alias?: string[]
  host?: string
  port?: number
  apiKey?: string[]
  apiKeyFile?: string
  cors?: string[]
  allowedHost?: string[]
  anyModel?: boolean
  sharePrompts?: boolean
  maxRunning?: number
  maxQueued?: number
  maxQueuedTokens?: number
  maxBody?: number
  timeout?: number
  ping?: number
  stopDeadline?: number
  memory?: number
  keepAlive?: number
  metricsAlias?: string
  logPrompts?: boolean
  log?: string
}

export function addServe(program: Command): void {
  const group = 'Serving:'
  const several = (text: string, before: string[] = []) => [...before, text]
  const command = program
    .command('serve')
    .summary('answer clients over HTTP')
    .description(
      "Answers clients of OpenAI's API and others over HTTP, on this machine alone unless --host says otherwise. The first model is loaded " +
        'at once, others when they are asked for.',
    )
    .argument('[model...]', 'folders, GGUF files, names on the hub, or folders of models (default: the bundled model)')
    .addOption(
      new Option('--alias <name=model>', 'a model under another name; may be given again')
        .argParser(several)
        .helpGroup(group),
    )
  const { apiKeys, corsOrigins, allowedHosts, ...single } = SERVER_OPTIONS
  const parsers = { maxBodyBytes: bytes, memoryBytes: bytes, maxQueuedTokens: tokens }
  const names = ['host', 'port', 'anyModel', 'sharePrompts', 'maxRunning', 'maxQueued', 'maxQueuedTokens'] as const
  const more = ['maxBodyBytes', 'timeout', 'pingInterval', 'stopDeadline', 'memoryBytes', 'keepAlive'] as const
  const last = ['metricsAlias', 'logPrompts'] as const
  for (const name of names) command.addOption(flagOf(name))
  command.addOption(
    engineFlag(apiKeys, { group, parse: several, description: `${apiKeys.description}; may be given again` }),
  )
  command.addOption(
    new Option('--api-key-file <file>', 'a key in each line (default: LATENTKIT_API_KEY)').helpGroup(group),
  )
  command.addOption(engineFlag(corsOrigins, { group, parse: several }))
  command.addOption(engineFlag(allowedHosts, { group, parse: several }))
  for (const name of [...more, ...last]) command.addOption(flagOf(name))
  command.addOption(
    new Option('--log <form>', 'what standard error gets of each request: json, none')
      .choices(['json', 'none'])
      .helpGroup(group),
  )
  function flagOf(name: (typeof names | typeof more | typeof last)[number]): Option {
    const parse = (parsers as Record<string, ((text: string) => number) | undefined>)[name]
    return engineFlag(single[name], { group, ...(parse && { parse }) })
  }
  addLoadOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit serve
  $ latentkit serve ./my-model --port 8000 --api-key-file keys.txt
  $ latentkit serve --alias small=./a.gguf --alias large=./b --memory 24GiB
  $ curl localhost:8080/v1/completions -d '{"prompt": "Once upon a time"}'`,
    )
    .action(serve)
}

async function serve(models: readonly string[], flags: Flags): Promise<void> {
  const { createServer } = await import('../../server/index.ts')
  const all = withEnvironment(flags)
  const disk = all.diskCache === false ? {} : { cacheDir: all.cacheDir ?? cacheFolder(), onNotice: note }
  const named = [...models, ...(flags.alias ?? [])]
  const server = await createServer({
    ...options(flags),
    models: named.length > 0 ? named : [defaultModel()].filter(model => model !== undefined),
    apiKeys: await keys(flags),
    load: { ...toLoadOptions(all), ...(await hubOptions(flags)), ...disk },
    ...(flags.log !== 'none' && { log: note }),
  })
  const { url } = await server.listen()
  const stopped = stopOnSignals(server)
  try {
    await Promise.race([server.ready, stopped])
    note(`Serving ${server.models.join(', ')} on ${url}`)
    await stopped
  } catch (error) {
    await server.close()
    throw error
  }
}

/** The first signal lets answers end, the second ends them. */
function stopOnSignals(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (signal: NodeJS.Signals) => {
      if (signal === 'SIGINT') process.exitCode = EXIT.interrupted
      server.close().then(resolve, reject)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
}

async function keys({ apiKey = [], apiKeyFile }: Flags): Promise<readonly string[]> {
  const file = apiKeyFile === undefined ? '' : new TextDecoder().decode(await readTextFile(apiKeyFile))
  const inFile = file.split(/\r?\n/).filter(line => line.trim() !== '')
  if (apiKeyFile !== undefined && inFile.length === 0) throw new UsageError(`${apiKeyFile} has no key`)
  const all = [...apiKey, ...inFile]
  const variable = process.env.LATENTKIT_API_KEY
  return all.length === 0 && variable ? [variable] : all
}

function options(flags: Flags): ServerOptions {
  const { host, port, cors, allowedHost, anyModel, sharePrompts, maxRunning, maxQueued, maxQueuedTokens } = flags
  const { maxBody, timeout, ping, stopDeadline, memory, keepAlive, metricsAlias, logPrompts } = flags
  const given = {
    ...{ host, port, corsOrigins: cors, allowedHosts: allowedHost, anyModel, sharePrompts, maxRunning, maxQueued },
    ...{ maxQueuedTokens, maxBodyBytes: maxBody, timeout, pingInterval: ping, stopDeadline, memoryBytes: memory },
    ...{ keepAlive, metricsAlias, logPrompts },
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
