/** `latentkit inspect`: architecture, tensors and cache of a model, from its headers alone. */
import { existsSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { CACHE_TYPE_NAMES, CACHE_TYPES_SHOWN } from '../../../src/for-apps.ts'
import type { CacheTypeName } from '../../../src/index.ts'
import { withEnvironment } from '../environment.ts'
import { UsageError } from '../exit.ts'
import { hubOptions } from '../hub.ts'
import { memoryView, modelView, problemsView, tensorsView } from '../inspect/views.ts'
import { watchInterrupt } from '../interrupt.ts'
import { withProgress } from '../load-engine.ts'
import { BUNDLED, modelArgument } from '../model-argument.ts'
import { list, oneOf, tokens } from '../options/parsers.ts'
import { colours } from '../output/colour.ts'
import { writeJson, writeView } from '../output/stdout.ts'

const VIEWS = ['model', 'memory', 'tensors'] as const
type View = (typeof VIEWS)[number]

interface Flags {
  json?: boolean
  cacheType?: CacheTypeName
  contexts?: number[]
  offline?: boolean
}

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .summary('what a model is, without loading it')
    .description(
      'Shows architecture, attention, parameters, tensors and what a cached token costs, from config.json and the headers of the weights.',
    )
    .argument('[model]', `a folder, a GGUF file, or org/name on the hub (default: ${BUNDLED})`)
    .argument('[view]', `one of ${VIEWS.join(', ')} (default: model and memory)`)
    .addOption(
      new Option('--cache-type <type>', `cached numbers: ${CACHE_TYPES_SHOWN} (default: f16)`).argParser(
        oneOf(CACHE_TYPE_NAMES),
      ),
    )
    .addOption(
      new Option(
        '--contexts <list>',
        "context lengths to tell the cache for (default: the model's own, 4K, 32K, 128K)",
      ).argParser(list(tokens)),
    )
    .addOption(new Option('--offline', 'never use the network'))
    .option('--json', 'everything as one object')
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit inspect
  $ latentkit inspect ./my-model memory --contexts 8K,64K --cache-type bf16
  $ latentkit inspect ./my-model --json | jq .cache`,
    )
    .action(inspect)
}

async function inspect(first: string | undefined, second: string | undefined, flags: Flags): Promise<void> {
  const { signal, release } = watchInterrupt()
  const [source, view] = arrange(first, second)
  const { inspectModel } = await import('../../../src/tools.ts')
  const hub = await hubOptions(flags)
  const cacheType = withEnvironment(flags).cacheType
  const inspection = await withProgress(onProgress =>
    inspectModel(modelArgument(source).source, {
      ...hub,
      ...(cacheType && { cacheType }),
      ...(flags.contexts && { contexts: flags.contexts }),
      signal,
      onProgress,
    }),
  )
  release()
  if (flags.json) return writeJson(inspection)
  const c = colours(process.stdout)
  const parts = {
    model: () => [modelView(inspection, c)],
    memory: () => [memoryView(inspection, c)],
    tensors: () => [tensorsView(inspection, c)],
  }
  const chosen = view ? parts[view]() : [...parts.model(), ...parts.memory()]
  await writeView([...chosen, problemsView(inspection, c)].filter(Boolean).join('\n\n'))
}

/** A single argument that is a view's name refers to the default model, unless a folder of that name exists. */
function arrange(first: string | undefined, second: string | undefined): [string | undefined, View | undefined] {
  if (second !== undefined) return [first, viewOf(second)]
  const view = VIEWS.find(v => v === first)
  return view && !existsSync(view) ? [undefined, view] : [first, undefined]
}

function viewOf(name: string): View {
  const view = VIEWS.find(v => v === name)
  if (view) return view
  throw new UsageError(`there is no view ${JSON.stringify(name)}; expected one of ${VIEWS.join(', ')}`)
}
