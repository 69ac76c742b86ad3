/** A measurement for people. Each view is a text without a line break at its end. */
import type { Divergence, Estimate, PerplexityReport, WindowProgress } from '../../../src/tools.ts'
import type { Colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { pairs } from '../output/table.ts'

export function reportView(report: PerplexityReport, c: Colours): string {
  const { model, divergence } = report
  const { name, isa, threads } = model.kernels
  const settings = [
    model.modelType,
    report.weights && `weights ${report.weights}`,
    report.exact && 'exact',
    `cache ${model.cacheType}`,
    `${name} ${isa}, ${format.plural(threads, 'thread')}`,
  ]
  const title = `${c.bold(model.name)}  ${c.dim(settings.filter(Boolean).join(' · '))}`
  return [title, pairs(ownRows(report), c.dim), ...(divergence ? ['', divergenceView(divergence, c)] : [])].join('\n')
}

/** Columns of `--csv`; the last two are empty where nothing is compared with. */
export const WINDOW_HEADS = 'window,scored_tokens,nats_per_token,perplexity,perplexity_so_far,kl_nats,same_top'

export function windowRow({ done, perplexity, window: w }: WindowProgress): string {
  return [done, w.scored, w.natsPerToken, w.perplexity, perplexity, w.kl ?? '', w.top1 ?? ''].join(',')
}

function ownRows(report: PerplexityReport): [string, string][] {
  const { text, natsPerToken, speed } = report
  const nats = plusMinus(natsPerToken, 4)
  const windows = `${format.plural(text.windows, 'window')} of ${format.integer(text.window)}`
  const scored = `${format.integer(text.scored)} of ${format.plural(text.tokens, 'token')}`
  return [
    ['perplexity', plusMinus(report.perplexity, 4)],
    ['per token', `${nats} nats, ${format.decimals(report.bitsPerToken, 4)} bits`],
    ['per byte', `${format.decimals(report.natsPerByte, 4)} nats, ${format.decimals(report.bitsPerByte, 4)} bits`],
    ['scored', `${scored}, ${format.integer(text.scoredBytes)} bytes, in ${windows}`],
    ...(report.interrupted
      ? [['interrupted', `before ${format.plural(text.wantedWindows, 'window')} were done`] as [string, string]]
      : []),
    ['speed', `${format.rate(speed.tokensPerSecond)}, ${format.duration(speed.seconds * 1000)} in the model`],
  ]
}

function divergenceView(d: Divergence, c: Colours): string {
  const { p50, p90, p95, p99, p999, max } = d.klQuantiles
  const at = (name: string, value: number) => `${name} ${value.toPrecision(3)}`
  const percent = ({ mean, error }: Estimate): Estimate => ({ mean: 100 * mean, error: 100 * error })
  const rows: [string, string][] = [
    ['perplexity', `${plusMinus(d.perplexityRatio, 6)} times its ${plusMinus(d.referencePerplexity, 4)}`],
    ['KL divergence', `${d.kl.mean.toPrecision(4)} ± ${d.kl.error.toPrecision(2)} nats`],
    ['', [at('median', p50), at('90 %', p90), at('95 %', p95), at('99 %', p99)].join(', ')],
    ['', [at('99.9 %', p999), at('max', max)].join(', ')],
    ['same top token', `${plusMinus(percent(d.top1), 2)} %`],
    ['probability rms', `${format.decimals(100 * d.probabilityRms, 3)} % of the text's own token`],
  ]
  return `${c.bold('against')} ${d.reference}\n${pairs(rows, c.dim)}`
}

function plusMinus({ mean, error }: Estimate, digits: number): string {
  return `${format.decimals(mean, digits)} ± ${format.decimals(error, digits)}`
}
