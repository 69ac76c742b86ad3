import type { RunRecord } from '../../../src/training/index.ts'
import { namesOf } from './series.ts'

const COLUMNS = [
  ...(['loss', 'gradientNorm', 'rate', 'epoch', 'tokens', 'seconds', 'share'] as const),
  ...(['imbalance', 'predictionLoss', 'accuracy', 'margin'] as const),
] as const

/** A row for each step of each run, for spreadsheets and other tools; `validation` is empty but where one was made. */
export function csvOf(runs: readonly RunRecord[]): string {
  const names = namesOf(runs)
  const rows = runs.flatMap(({ steps, validations }, i) => {
    const held = new Map(validations.map(({ step, loss }) => [step, loss]))
    return steps.map(step =>
      [quoted(names[i] as string), step.step, held.get(step.step) ?? '', ...COLUMNS.map(name => step[name] ?? '')].join(
        ',',
      ),
    )
  })
  return `${[['run', 'step', 'validation', ...COLUMNS].join(','), ...rows].join('\n')}\n`
}

/** RFC 4180. */
function quoted(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
