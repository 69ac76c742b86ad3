/** `latentkit serve`: flags become the options of `apps/server`; prints the address and runs until it is stopped. */
import { type Command, Option } from 'commander'
import type { Server } from '../../server/index.ts'
import { DEFAULTS, LOOPBACK, SERVER_OPTIONS, type ServerOptions } from '../../server/options.ts'
import { cacheFolder, defaultModel, serverKey, withEnvironment } from '../environment.ts'
import { EXIT, UsageError } from '../exit.ts'
import { hubOptions, modelsFolder } from '../hub.ts'
import { addFlags, givenOptions } from '../options/engine-flags.ts'
import { addLoadOptions, type LoadFlags, toLoadOptions } from '../options/load.ts'
import { bytes, collect, tokens } from '../options/parsers.ts'
import { note } from '../output/stdout.ts'
import { readTextFile } from '../text-input.ts'

interface Flags extends LoadFlags {
  alias?: string[]
  /** Of the file that --config names. */
  models?: string[]
  pulled?: boolean
  host?: string
  apiKey?: string[]
  apiKeyFile?: string
  log?: string
}

const GROUP = 'Serving:'
const several = collect(String)
/** Where a flag takes more than its option: units, or one of a list at a time. */
const WORDS = {
  ...Object.fromEntries((['apiKeys', 'corsOrigins', 'allowedHosts'] as const).map(name => [name, oneAtATime(name)])),
  ...{ maxBodyBytes: { parse: bytes }, memoryBytes: { parse: bytes }, maxQueuedTokens: { parse: tokens } },
}

function oneAtATime(name: keyof typeof SERVER_OPTIONS) {
  return { parse: several, description: `${SERVER_OPTIONS[name].description}; may be given again` }
}

export function addServe(program: Command): void {
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
        .helpGroup(GROUP),
    )
  command.addOption(
    new Option('--pulled', 'every model that latentkit list shows, too, by its name there').helpGroup(GROUP),
  )
  addFlags(command, SERVER_OPTIONS, { group: GROUP, words: WORDS })
    .addOption(new Option('--api-key-file <file>', 'a key in each line (default: LATENTKIT_API_KEY)').helpGroup(GROUP))
    .addOption(
      new Option('--config <file>', 'these flags in JSON, and "models": {"port": 8000, "models": ["./a"]}').helpGroup(
        GROUP,
      ),
    )
    .addOption(
      new Option('--log <form>', 'what standard error gets of each request').choices(['json', 'none']).helpGroup(GROUP),
    )
  addLoadOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit serve
  $ latentkit serve ./my-model --port 8000 --api-key-file keys.txt
  $ latentkit serve --pulled --memory 24GiB
  $ latentkit serve --alias small=./a.gguf --alias large=./b --memory 24GiB
  $ curl localhost:8080/v1/completions -d '{"prompt": "Once upon a time"}'`,
    )
    .action(serve)
}

async function serve(models: readonly string[], flags: Flags): Promise<void> {
  const { createServer } = await import('../../server/index.ts')
  const all = withEnvironment(flags)
  const disk = all.diskCache === false ? {} : { cacheDir: all.cacheDir ?? cacheFolder(), onNotice: note }
  const { models: listed = [], alias = [], host = DEFAULTS.host } = flags
  const named = [...(models.length > 0 ? models : listed), ...alias, ...(flags.pulled ? await pulled() : [])]
  const given = await keys(flags)
  if (given.length === 0 && !LOOPBACK.test(host)) {
    note(`Warning: whoever reaches this machine may use the server: it listens on ${host} and wants no key (--api-key)`)
  }
  const server = await createServer({
    ...givenOptions<Partial<ServerOptions>>(SERVER_OPTIONS, flags),
    models: named.length > 0 ? named : [defaultModel()].filter(model => model !== undefined),
    apiKeys: given,
    load: { ...toLoadOptions(all), ...(await hubOptions(flags)), ...disk },
    ...(flags.log !== 'none' && { log: note }),
  })
  try {
    const { url } = await server.listen()
    const stopped = stopOnSignals(server)
    await Promise.race([server.ready, stopped])
    note(`Serving ${server.models.join(', ')} on ${url} (in a browser: a chat page)`)
    await stopped
  } catch (error) {
    await server.close()
    // A signal while the model loads is a stop like any other.
    if ((error as { readonly code?: unknown }).code !== 'stopping') throw error
  }
}

/** Names of the models in the cache of the hub that are complete. Throws UsageError if there is none. */
async function pulled(): Promise<readonly string[]> {
  const { hubStore } = await import('../../../src/for-apps.ts')
  const store = await hubStore(await modelsFolder())
  const names = (await store.list()).filter(({ complete }) => complete).map(({ name }) => name)
  if (names.length === 0)
    throw new UsageError(`--pulled: no model is in ${store.folder}; latentkit pull ORG/NAME brings one`)
  return names
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
  const variable = serverKey()
  return all.length === 0 && variable !== undefined ? [variable] : all
}
