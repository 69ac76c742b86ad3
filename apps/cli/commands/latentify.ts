/** `latentkit latentify`: a model with grouped attention becomes one with latent attention. */
import type { Command } from 'commander'
import { LATENTIFY_OPTIONS } from '../../../src/for-apps.ts'
import type {
  Healing,
  Latentification,
  LatentifyOptions,
  LatentifyProgress,
  Measured,
  Measurement,
  Trial,
} from '../../../src/tools.ts'
import { hubOptions } from '../hub.ts'
import { watchInterrupt } from '../interrupt.ts'
import { modelArgument } from '../model-argument.ts'
import { addFlags } from '../options/engine-flags.ts'
import { duration, list, share } from '../options/parsers.ts'
import { type Colours, colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { Progress } from '../output/progress.ts'
import { note, writeJson, writeView } from '../output/stdout.ts'
import { table } from '../output/table.ts'

type Flags = Pick<LatentifyOptions, Exclude<keyof LatentifyOptions, 'hub' | 'signal' | 'onProgress'>> & {
  readonly quiet?: boolean
  readonly json?: boolean
}

/** Of flags whose texts are shorter than their values. */
const WORDS = {
  cacheRatio: { parse: share },
  pplWithin: { parse: share },
  also: { parse: list(share) },
  heal: { parse: duration },
}

export function addLatentify(program: Command): void {
  const command = program
    .command('latentify')
    .summary('a latent cache for a model without one')
    .description(
      'Turns a model with grouped attention (Llama, Mistral, Qwen2, SmolLM2) into one with Multi-head Latent Attention, in the form of DeepSeek-V3. It caches fewer numbers per token, at a loss that grows as they get fewer; with --rank and --rope as large as its keys it is the same model in another form.',
    )
    .argument('<model>', 'a folder, a GGUF file, or org/name on the hub')
    .argument('<out>', 'NAME.gguf makes a GGUF file, any other name a folder')
  addFlags(command, LATENTIFY_OPTIONS, { group: 'Options:', words: WORDS })
    .option('--quiet', 'no summary')
    .option('--json', 'the report as one object')
    .addHelpText(
      'after',
      `
Interrupted by Ctrl-C, it goes on where it was when it is called again:
OUT.latentify holds what is done so far. docs/latentify.md says what is taken
and how it is done.

Examples:
  $ latentkit latentify ./smollm2 ./smollm2-half --cache-ratio 0.5
  $ latentkit latentify ./smollm2 half.gguf --rank 144 --rope 48 --calibrate text.txt
  $ latentkit latentify ./smollm2 ./small --ppl-within 20% --also 0.5,0.25,0.125
  $ latentkit latentify ./smollm2 ./healed --cache-ratio 0.5 --search --heal 30m
  $ latentkit latentify ./smollm2 ./same --rank 192 --rope 192`,
    )
    .action(latentify)
}

async function latentify(input: string, output: string, flags: Flags): Promise<void> {
  const { signal, release } = watchInterrupt()
  const { latentifyModel } = await import('../../../src/tools.ts')
  const { quiet, json, ...given } = flags
  const progress = new Progress()
  const report = await latentifyModel(modelArgument(input).source, output, {
    ...given,
    ...(await hubOptions(flags)),
    signal,
    onProgress: at => show(progress, at),
  }).finally(() => progress.stop())
  release()
  if (json) return writeJson(report)
  const c = colours(process.stderr)
  for (const warning of report.warnings) note(c.yellow(warning))
  if (!quiet) await writeView(summary(report))
}

function show(progress: Progress, { stage, done, total, file, kl }: LatentifyProgress): void {
  if (stage === 'calibrate') progress.pieces('Reading the text', done, total, 'windows of layers', '')
  else if (stage === 'factor') progress.pieces('Computing latents', done, total, 'layers', '')
  else if (stage === 'measure') progress.pieces('Measuring', done, total, 'windows', '')
  else if (stage === 'samples') progress.pieces('Writing texts', done, total, 'tokens', '')
  else if (stage === 'heal') {
    const last = kl === undefined ? '' : `KL ${format.decimals(kl, 3)}`
    progress.pieces('Healing', done, Math.max(done, total), 'steps', last)
  } else progress.update({ status: stage, file, loaded: done, total })
}

function summary(report: Latentification): string {
  const c = colours(process.stdout)
  const { output, bytes, cache, bytesPerToken, theta, calibrationTokens, lossByLayer, measured, healing } = report
  const { before, after, rank, rope } = cache
  const text = calibrationTokens > 0 ? `, ${format.integer(calibrationTokens)} tokens read` : ''
  const base = theta === null ? "the original's frequencies" : `theta ${format.integer(theta)}`
  const kept = `${format.integer(after)} of ${format.integer(before)} numbers per token and layer (${format.percent(after / before)}), ${format.bytes(bytesPerToken.after)} of ${format.bytes(bytesPerToken.before)} per token in f16`
  const head = `${c.bold(output)}: ${format.bytes(bytes)}, caches ${kept}: a latent of ${rank}, a rope key of ${rope}; ${base}${text}`
  if (calibrationTokens === 0) return head
  const computed = measured?.sizes.find(size => size.rank === rank && size.rope === rope && size.theta === theta)
  const own = healing?.measured ?? computed
  const rows = lossByLayer.map((loss, layer) => [
    String(layer),
    format.percent(loss),
    ...(own ? [format.percent(own.errorByLayer[layer] as number)] : []),
  ])
  const columns = ['layer', 'lost by the latent', ...(own ? ['error of the stream'] : [])]
  const right = (head: string) => ({ head, align: 'right' }) as const
  const layers = table(columns.map(right), rows, { style: c.dim })
  const parts = [head, layers]
  if (healing) parts.push(healingView(healing))
  if (measured) parts.push(sizesView(measured, healing, report, c))
  return parts.join('\n\n')
}

function healingView({ text, steps, planned, tokens, seconds, kl }: Healing): string {
  const source = text ?? 'texts of the original'
  const cut = steps < planned ? ` of ${format.integer(planned)} that were planned: the time was over` : ''
  const [first, last] = [kl[0], kl.at(-1)].map(value => (value === undefined ? '' : format.decimals(value, 4)))
  return `Healed: ${format.plural(steps, 'step')}${cut}, ${format.integer(tokens)} tokens of ${source} in ${format.duration(1000 * seconds)}; KL ${first} in the first, ${last} in the last`
}

function sizesView(
  { windows, tokens, perplexity, sizes }: Measurement,
  healing: Healing | null,
  { cache, theta }: Pick<Latentification, 'cache' | 'theta'>,
  c: Colours,
): string {
  const plus = ({ mean, error }: { mean: number; error: number }, digits: number) =>
    `${format.decimals(mean, digits)} ± ${format.decimals(error, digits)}`
  const row = (numbers: string, { rank, rope, theta }: Trial, size: Measured) => [
    numbers,
    String(rank),
    String(rope),
    theta === null ? '' : format.integer(theta),
    format.decimals(size.perplexity, 3),
    plus(size.perplexityRatio, 3),
    plus(size.kl, 4),
    format.percent(size.top1.mean),
  ]
  const rows = sizes.flatMap(size => {
    const numbers = String(size.rank + size.rope)
    const isOwn = size.rank === cache.rank && size.rope === cache.rope && size.theta === theta
    const healed = isOwn && healing?.measured
    return [row(numbers, size, size), ...(healed ? [row(`${numbers}, healed`, size, healed)] : [])]
  })
  const heads = ['numbers', 'latent', 'rope key', 'theta', 'perplexity', 'ratio', 'KL, nats', 'same top token']
  const columns = heads.map(head => ({ head, align: 'right' }) as const)
  const title = `Original: perplexity ${format.decimals(perplexity, 3)}, ${format.integer(tokens)} tokens of ${format.plural(windows, 'window')}`
  return `${title}\n${table(columns, rows, { style: c.dim })}`
}
