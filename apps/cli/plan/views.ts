/** A plan for a terminal, a document, a spreadsheet. Each view is a text without a line break at its end. */
import type { Plan } from '../../../src/planning/index.ts'
import type { Colours } from '../output/colour.ts'
import { pairs, table, wrapped } from '../output/table.ts'
import { answerOf, type Remedies } from './answer.ts'
import { bars } from './bars.ts'
import { comparisonOf, factsOf, ownRow, type PlanTable, stagesOf } from './tables.ts'

export function terminalView(p: Plan, remedies: Remedies, c: Colours, columns: number): string {
  const asTable = (t: PlanTable | null) =>
    t &&
    table(
      t.heads.map((head, i) => ({ head, align: i > 0 ? ('right' as const) : ('left' as const) })),
      t.rows,
      { style: c.dim },
    )
  const parts = [
    answerOf(p, remedies)
      .map((sentence, i) => (i === 0 ? c.bold : String)(wrapped(sentence, columns)))
      .join('\n'),
    p.unknown.map(u => c.yellow(wrapped(unknownLine(u), columns))).join('\n'),
    bars(p, c, columns),
    pairs(factsOf(p), c.dim, columns),
    asTable(stagesOf(p)),
    asTable(comparisonOf(p)),
    ...p.notes.map(note => c.yellow(wrapped(`Note: ${note}`, columns))),
  ]
  return parts.filter(Boolean).join('\n\n')
}

export function markdownView(p: Plan, remedies: Remedies): string {
  const asTable = (t: PlanTable | null) => t && markdownTable(t.heads, t.rows)
  const parts = [
    answerOf(p, remedies).join(' '),
    p.unknown.map(u => `- ${unknownLine(u)}`).join('\n'),
    markdownTable(['', p.model.name], factsOf(p)),
    asTable(stagesOf(p)),
    asTable(comparisonOf(p)),
    ...p.notes.map(note => `Note: ${note}`),
  ]
  return parts.filter(Boolean).join('\n\n')
}

/** `Not counted: "vision_config" (weights): a part …` */
function unknownLine({ field, affects, reason }: Plan['unknown'][number]): string {
  return `Not counted or in doubt: ${field} (${affects === 'both' ? 'cache and weights' : affects}): ${reason}.`
}

function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}

/** One row for the model and each comparison, bytes and seconds without units. */
export function csvView(p: Plan): string {
  const heads =
    'model,attention,cache_dtype,context,batch,bytes_per_token,times,cache_bytes_per_user,cache_bytes,cache_bytes_per_rank,weight_bytes,cache_equals_weights_read_at,longest_context_cache_alone,decode_seconds,not_counted'
  const rows = [ownRow(p), ...p.compare].map(r => [
    p.model.name,
    r.title,
    r.dtype,
    p.context,
    p.batch,
    r.bytesPerToken,
    r.ratio,
    r.bytesPerSequence,
    r.bytes,
    r.rankBytes,
    p.weights.bytes,
    r.crossover,
    r.largestContextAlone,
    r.decodeTime?.seconds,
    p.unknown.map(u => u.field).join(' '),
  ])
  return [heads, ...rows.map(row => row.map(csvCell).join(','))].join('\n')
}

function csvCell(value: string | number | null | undefined): string {
  const text = value === null || value === undefined || value === Number.POSITIVE_INFINITY ? '' : String(value)
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
