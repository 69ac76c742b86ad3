/** Reports for people. Each view is a text without a line break at its end. */
import type { PooledAgreement, PooledShare } from '../../../src/for-apps.ts'
import type { Agreement, VerifyReport, VerifyRow } from '../../../src/tools.ts'
import type { Colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { table } from '../output/table.ts'

const right = (head: string) => ({ head, align: 'right' as const })

export function reportView(report: VerifyReport, c: Colours): string {
  const { folder, modelType, rows, error } = report
  const title = `${c.bold(folder)}${modelType === null ? '' : c.dim(`  ${modelType}`)}`
  return [
    title,
    ...(rows.length > 0 ? [waysView(rows, c), layersView(rows, c)] : []),
    ...(error === null ? [] : [c.red(error)]),
  ]
    .filter(Boolean)
    .join('\n')
}

/** One line per way of computing. */
function waysView(rows: readonly VerifyRow[], c: Colours): string {
  // If all rows are exact, the word and the count carry no information.
  const rounded = rows.some(row => row.arithmetic === '8-bit')
  const sparse = rows.some(row => row.selection)
  const columns = [
    { head: 'kernels' },
    ...(rounded ? [{ head: 'arithmetic' }] : []),
    { head: 'cache' },
    { head: 'path' },
    { head: 'prefill' },
    right('logits'),
    right('rms'),
    right('median'),
    right('hidden'),
    right('diverges at'),
    right('attention'),
    ...(sparse ? [right('index scores'), right('other keys')] : []),
    ...(rounded ? [right('top 1')] : []),
    right('greedy'),
    { head: '' },
  ]
  const cells = rows.map(row => [
    row.kernels,
    ...(rounded ? [row.arithmetic] : []),
    row.cacheType,
    row.path ?? '—',
    row.prefill,
    format.error(row.logitError),
    format.error(row.logitRms),
    format.error(row.logitMedian),
    format.error(worstHidden(row)),
    row.firstDivergingLayer === null
      ? '—'
      : row.firstDivergingLayer === 'encoder'
        ? 'encoder'
        : row.firstDivergingLayer === 0
          ? 'embedding'
          : `layer ${row.firstDivergingLayer}`,
    format.error(row.attentionError),
    ...(sparse ? [format.error(row.selection?.scores ?? null), String(row.selection?.differing ?? '—')] : []),
    ...(rounded ? [agreement(row.top1)] : []),
    row.greedy ? agreement(row.greedy) : '—',
    row.passed ? c.green('ok') : c.red('FAILED'),
  ])
  return table(columns, cells, { style: c.dim })
}

function worstHidden({ hiddenErrors, encoderError }: VerifyRow): number | null {
  if (!hiddenErrors) return encoderError
  return Math.max(...hiddenErrors, encoderError ?? 0)
}

function agreement({ agreeing, expected }: Agreement): string {
  return `${agreeing}/${expected}`
}

/** `native, 8-bit, 8 files: likeliest token 93.1 % of 1,040 positions (llama.cpp 92.8 %), …: ok` */
export function poolView({ kernels, files, top1, greedy, held, passed }: PooledAgreement, c: Colours): string {
  const share = ({ share, tokens, llamaCpp }: PooledShare, of: string) =>
    `${format.percent(share)} of ${format.integer(tokens)} ${of} (llama.cpp ${format.percent(llamaCpp)})`
  const both = `${share(top1, 'positions')}, ${share(greedy, 'tokens of greedy text')}`
  const verdict = !held ? c.dim('too few to tell') : passed ? c.green('ok') : c.red('FAILED')
  return `${kernels}, 8-bit, ${format.plural(files, 'file')}: the expected token likeliest at ${both}: ${verdict}`
}

/** The worst error of each hidden state, whatever the path and the prefill. */
function layersView(rows: readonly VerifyRow[], c: Colours): string {
  const byKind = new Map<string, number[]>()
  for (const { kernels, arithmetic, cacheType, hiddenErrors } of rows) {
    if (!hiddenErrors) continue
    const kind = [kernels, ...(arithmetic === 'exact' ? [] : [arithmetic]), cacheType].join(' ')
    const sofar = byKind.get(kind)
    byKind.set(
      kind,
      hiddenErrors.map((e, i) => Math.max(e, sofar?.[i] ?? 0)),
    )
  }
  const kinds = [...byKind]
  if (kinds.length === 0) return ''
  const states = (kinds[0] as [string, number[]])[1].length
  // The last state is the one after the final norm; the last layer's own is not among the expected numbers.
  const name = (i: number) => (i === 0 ? 'embedding' : i === states - 1 ? `layer ${i}, normed` : `layer ${i}`)
  const cells = Array.from({ length: states }, (_, i) => [
    name(i),
    ...kinds.map(([, errors]) => format.error(errors[i])),
  ])
  return `\n${table([{ head: 'hidden states, worst error' }, ...kinds.map(([kind]) => right(kind))], cells, { style: c.dim })}`
}

export function summaryView(reports: readonly VerifyReport[], c: Colours): string {
  const failed = reports.filter(r => !r.passed)
  const ways = reports.reduce((n, r) => n + r.rows.length, 0)
  const of = `${format.plural(reports.length, 'folder')}, ${format.plural(ways, 'way')} of computing`
  if (failed.length === 0) return c.green(`${of}: all within tolerance`)
  return c.red(
    `${of}: ${format.integer(failed.length)} out of tolerance or unreadable: ${failed.map(r => r.folder).join(', ')}`,
  )
}
