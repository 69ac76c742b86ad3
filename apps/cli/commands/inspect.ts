/** `latentkit inspect`: architecture, tensors and cache of a model, from its headers alone; or what it computes of a text. */
import { existsSync } from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { CACHE_TYPE_NAMES, CACHE_TYPES_SHOWN } from '../../../src/for-apps.ts'
import type { CacheTypeName } from '../../../src/index.ts'
import { withEnvironment } from '../environment.ts'
import { UsageError } from '../exit.ts'
import { hubOptions } from '../hub.ts'
import { formatOf, PARTS, type Part, writeReading } from '../inspect/reading-file.ts'
import { memoryView, modelView, problemsView, tensorsView } from '../inspect/views.ts'
import { watchInterrupt } from '../interrupt.ts'
import { loadEngine, withProgress } from '../load-engine.ts'
import { BUNDLED, modelArgument } from '../model-argument.ts'
import { integer, list, oneOf, tokens } from '../options/parsers.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { Progress } from '../output/progress.ts'
import { note, writeJson, writeView } from '../output/stdout.ts'
import { readAll } from '../stdin.ts'

const VIEWS = ['model', 'memory', 'tensors'] as const
type View = (typeof VIEWS)[number]

interface Flags {
  json?: boolean
  cacheType?: CacheTypeName
  contexts?: number[]
  offline?: boolean
  attention?: string
  out?: string
  write?: Part[]
  layers?: number[]
  heads?: number[]
  pool?: number
  target?: string
}

export function addInspect(program: Command): void {
  const command = program
    .command('inspect')
    .summary('what a model is; what it computes of a text')
    .description(
      'Shows architecture, attention, parameters, tensors and what a cached token costs, from config.json and the headers of the weights. ' +
        'With --attention, what the model computes of a text, in a file.',
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
  const group = 'A text (--attention):'
  const option = (flags: string, description: string) => new Option(flags, description).helpGroup(group)
  command
    .addOption(
      option(
        '--attention <text>',
        'load the model, read this text and write what it computes of it; -: standard input',
      ),
    )
    .addOption(
      option(
        '--target <text>',
        'of an encoder-decoder, whose source the text is: what its decoder reads (default: its first token alone)',
      ),
    )
    .addOption(option('--out <file>', 'where to: .npz (NumPy) or .safetensors'))
    .addOption(option('--write <list>', `any of ${PARTS.join(', ')} (default: patterns)`).argParser(list(oneOf(PARTS))))
    .addOption(option('--layers <list>', 'such as 0-3,8,-1 (default: all)').argParser(indices))
    .addOption(option('--heads <list>', 'the same (default: all)').argParser(indices))
    .addOption(
      option('--pool <n>', 'patterns reduced to at most n rows and columns (default: whole)').argParser(
        integer(1, 4096),
      ),
    )
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit inspect
  $ latentkit inspect ./my-model memory --contexts 8K,64K --cache-type bf16
  $ latentkit inspect ./my-model --json | jq .cache
  $ latentkit inspect ./my-model --attention "The cat sat on the mat" --out cat.npz
  $ latentkit inspect ./my-model --attention - --out cat.safetensors --write hidden,latents --layers 0-3 < cat.txt`,
    )
    .action(inspect)
}

async function inspect(first: string | undefined, second: string | undefined, flags: Flags): Promise<void> {
  if (flags.attention !== undefined) return inspectText(first, second, flags.attention, flags)
  const alone = (['target', 'out', 'write', 'layers', 'heads', 'pool'] as const).find(name => flags[name] !== undefined)
  if (alone) throw new UsageError(`--${alone} says what is written of a text; give the text with --attention`)
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

async function inspectText(
  source: string | undefined,
  view: string | undefined,
  given: string,
  { target, out, write: parts = ['patterns'], layers, heads, pool, json, ...flags }: Flags,
): Promise<void> {
  if (view !== undefined)
    throw new UsageError(`${JSON.stringify(view)} and --attention were given; expected one of them`)
  if (out === undefined) throw new UsageError('--attention has no --out; name a file that ends in .npz or .safetensors')
  formatOf(out)
  const text = given === '-' ? await readAll() : given
  const { signal, release } = watchInterrupt()
  const engine = await loadEngine(modelArgument(source), { ...flags, diskCache: false }, signal)
  const progress = new Progress()
  try {
    progress.note('Reading …')
    await using reading = await engine.inspect(text, {
      ...(target !== undefined && { target }),
      maxBytes: 2 ** 33,
      signal,
    })
    const { vocabSize } = engine.info
    const onPiece = (done: number, total: number) => progress.pieces('Writing', done, total, 'arrays', '')
    const written = await writeReading(out, reading, { parts, layers, heads, pool, vocabSize, signal, onPiece })
    progress.stop()
    const tokens = reading.tokens.map(({ position, id, text }) => ({ position, id, text }))
    if (json) await writeJson({ file: out, ...written, model: engine.info.name, tokens })
    else {
      const size = `${format.integer(tokens.length)} tokens, ${format.plural(written.arrays.length, 'array')}, ${format.bytes(written.bytes)}`
      note(`${out}: ${size}`)
    }
  } finally {
    progress.stop()
    release()
    await engine.dispose()
  }
}

/** `0-3,8,-1` */
function indices(text: string): number[] {
  return text.split(',').flatMap(part => {
    const [, from, to] = /^\s*(-?\d+)(?:-(\d+))?\s*$/.exec(part) ?? []
    if (from === undefined) throw new InvalidArgumentError('expected numbers and ranges, such as 0-3,8,-1')
    const [first, last] = [Number(from), Number(to ?? from)]
    if (to !== undefined && (first < 0 || first > last || last - first > 100_000)) {
      throw new InvalidArgumentError('expected ranges from a lower number to a higher one, such as 0-3')
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
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
