/** `latentkit plan`: memory and speed of a model, from its config or its headers. */
import { homedir } from 'node:os'
import { type Command, Option } from 'commander'
import type { Machine, PlanModel, PlanOptions } from '../../../src/planning/index.ts'
import { UsageError } from '../exit.ts'
import { BUNDLED, modelArgument } from '../model-argument.ts'
import { integer, tokens } from '../options/parsers.ts'
import { colours } from '../output/colour.ts'
import { writeJson, writeView } from '../output/stdout.ts'
import { bytesFrom, priceFrom, shareFrom, tokensOfText } from '../plan/amounts.ts'
import { machinesView, modelsView } from '../plan/lists.ts'
import { csvView, markdownView, terminalView } from '../plan/views.ts'

interface Flags {
  context?: number
  batch?: number
  cacheType?: string
  /** The old name of cacheType. */
  dtype?: string
  weights?: string
  memory?: number
  machine?: string
  compare?: string[]
  tp?: number
  dp?: number
  pp?: number
  ep?: boolean
  block?: number
  mtp?: boolean
  activeWeights?: number
  train?: number
  trainContext?: number
  utilisation?: number
  hourPrice?: number
  json?: boolean
  markdown?: boolean
  csv?: boolean
  models?: boolean
  machines?: boolean
}

const count = integer(1)

export function addPlan(program: Command): void {
  program
    .command('plan')
    .summary('what a model costs in memory, and which attention pays')
    .description(
      'Tells a cache to the byte, the weights, what fits, how fast a machine decodes at best, and what the same model would cost with other attention. Reads a config.json or headers only; models by name need no file.',
    )
    .argument(
      '[model]',
      `config.json, folder, .gguf file, name in the hub's cache or published name (default: ${BUNDLED})`,
    )
    .addOption(
      new Option('--context <n>', "tokens of each user, such as 128k (default: the model's)").argParser(tokens),
    )
    .addOption(new Option('--batch <n>', 'users at once (default: 1)').argParser(count))
    .addOption(
      new Option('--cache-type <type>', 'cached numbers: bf16, fp8, q8_0, fp8_ds_mla, q8_0/bf16 … (default: bf16)'),
    )
    .addOption(new Option('--dtype <type>').hideHelp().conflicts('cacheType'))
    .addOption(new Option('--weights <type>', 'weights: bf16, fp8, q8_0, q4_k … (default: as published or as on disk)'))
    .addOption(new Option('--block <n>', 'tokens of a cache block (default: 1, no rounding)').argParser(count))
    .addOption(new Option('--mtp', 'count the layers for multi-token prediction'))
    .addOption(
      new Option('--memory <size>', "of one device: 80GB, 10GiB (default: the machine's)").argParser(bytesFrom),
    )
    .addOption(new Option('--machine <name>', 'h100, a100, mi300x …; `measured`: this one, by measuring it'))
    .addOption(
      new Option('--compare <list>', 'other attention: mha, gqa8, mqa, expanded, mla256 …').argParser(text =>
        text.split(',').map(part => part.trim()),
      ),
    )
    .addOption(new Option('--tp <n>', 'tensor-parallel ranks').argParser(count))
    .addOption(new Option('--dp <n>', 'data-parallel ranks').argParser(count))
    .addOption(new Option('--pp <n>', 'stages of a pipeline: layers stay whole').argParser(count))
    .addOption(new Option('--ep', 'whole experts on each rank instead of a slice of every expert'))
    .addOption(
      new Option('--active-weights <size>', 'weights that a step reads, in place of what is counted').argParser(
        bytesFrom,
      ),
    )
    .addOption(new Option('--train <tokens>', 'train on so many tokens: 14.8T, 500B').argParser(tokensOfText))
    .addOption(new Option('--train-context <n>', 'tokens of each text in training (default: 4096)').argParser(tokens))
    .addOption(
      new Option('--utilisation <share>', "of the machine's 16-bit peak in training: 40% (default)").argParser(
        shareFrom,
      ),
    )
    .addOption(new Option('--hour-price <n>', 'price of an hour of one device').argParser(priceFrom))
    .option('--json', 'everything as one object, in bytes and seconds')
    .option('--markdown', 'tables to paste into a document')
    .option('--csv', 'a row for the model and one for each comparison')
    .option('--models', 'list the published models that are known by name')
    .option('--machines', 'list the machines that are known by name')
    .addHelpText(
      'after',
      `
Bounds, not promises: a step takes at least as long as reading its bytes or
multiplying at the machine's peak. docs/how-much-memory.md explains the numbers.

Examples:
  $ latentkit plan R1 --context 128k --batch 32 --machine h100 --compare mha,gqa8,mqa
  $ latentkit plan ./my-model --cache-type q8_0 --memory 24GB
  $ latentkit plan R1 --machine rtx4090 --pp 36
  $ latentkit plan model.Q4_K_M.gguf --context 32k --machine measured
  $ latentkit plan V3 --train 14.8T --mtp --machine h800 --hour-price 2
  $ latentkit plan V3 --context 100000 --json | jq .cache.bytes`,
    )
    .action(runPlan)
}

async function runPlan(source: string | undefined, flags: Flags): Promise<void> {
  const { hubSettings } = await import('../../../src/for-apps.ts')
  const { machines, plan, smallestPipeline, smallestRanks } = await import('../../../src/planning/index.ts')
  const { readPlanModel } = await import('../../../src/tools.ts')
  const c = colours(process.stdout)
  if (flags.models) return writeView(await modelsView(c))
  if (flags.machines) return writeView(machinesView(machines(), c))
  oneFormat(flags)
  const { cacheDir } = hubSettings(process.env, homedir())
  const model = await readPlanModel(modelArgument(source).source, cacheDir)
  const options = await toOptions(flags, model)
  const p = plan(model, options)
  if (flags.json) return writeJson(p)
  if (flags.csv) return writeView(csvView(p))
  const fits = !p.memory || p.memory.fits
  const remedies = fits
    ? { ranks: null, pipeline: null }
    : { ranks: smallestRanks(model, options), pipeline: smallestPipeline(model, options) }
  if (flags.markdown) return writeView(markdownView(p, remedies))
  await writeView(terminalView(p, remedies, c, process.stdout.columns ?? 100))
}

async function toOptions(flags: Flags, model: PlanModel): Promise<PlanOptions> {
  const { machine, cacheType = flags.dtype } = flags
  return {
    ...(flags.context !== undefined && { context: flags.context }),
    ...(flags.batch !== undefined && { batch: flags.batch }),
    ...(cacheType !== undefined && { cacheType }),
    ...(flags.weights !== undefined && { weights: flags.weights }),
    ...(flags.block !== undefined && { blockTokens: flags.block }),
    ...(flags.mtp && { draft: true }),
    ...(flags.memory !== undefined && { memoryBytes: flags.memory }),
    ...(flags.compare !== undefined && { compare: flags.compare }),
    ...(flags.tp !== undefined && { tensorParallel: flags.tp }),
    ...(flags.dp !== undefined && { dataParallel: flags.dp }),
    ...(flags.pp !== undefined && { pipelineParallel: flags.pp }),
    ...(flags.ep && { expertParallel: true }),
    ...(flags.activeWeights !== undefined && { activeWeightBytes: flags.activeWeights }),
    ...(flags.train !== undefined && { trainTokens: flags.train }),
    ...(flags.trainContext !== undefined && { trainContext: flags.trainContext }),
    ...(flags.utilisation !== undefined && { utilisation: flags.utilisation }),
    ...(flags.hourPrice !== undefined && { hourPrice: flags.hourPrice }),
    ...(machine !== undefined && { machine: await machineOf(machine, model) }),
  }
}

async function machineOf(name: string, model: PlanModel): Promise<Machine> {
  return name === 'measured' ? measured(model) : (await import('../../../src/planning/index.ts')).machineNamed(name)
}

/** With the kernels that the engine would take: what they reach is what counts. */
async function measured(model: PlanModel): Promise<Machine> {
  const { chooseKernels, measureMachine } = await import('../../../src/tools.ts')
  const { kernels } = await chooseKernels('auto', {})
  try {
    return await measureMachine(kernels, model)
  } finally {
    kernels.dispose()
  }
}

function oneFormat({ json, markdown, csv }: Flags): void {
  if ([json, markdown, csv].filter(Boolean).length > 1) {
    throw new UsageError('--json, --markdown and --csv are three forms of one answer; give one of them')
  }
}
