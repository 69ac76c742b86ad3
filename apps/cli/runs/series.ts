/** What of a run is drawn. */
import { basename, resolve } from 'node:path'
import type { Point, Series } from '../../../src/for-apps.ts'
import type { LoggedStep, RunRecord } from '../../../src/training/index.ts'

interface Metric {
  readonly title: string
  /** Of each step: a line. */
  readonly of?: (step: LoggedStep) => number | null | undefined
  /** Of some steps: marks. */
  readonly marks?: { readonly name: string; readonly of: (run: RunRecord) => Point[] }
}

/** By the names of `--metric`. */
export const METRICS = {
  loss: {
    title: 'loss, nats per token',
    of: ({ loss }) => loss,
    marks: { name: 'validation', of: ({ validations }) => validations.map(({ step, loss }): Point => [step, loss]) },
  },
  hellaswag: {
    title: 'HellaSwag, % right',
    marks: {
      name: 'hellaswag',
      of: ({ evaluations }) => evaluations.map(({ step, hellaswag }): Point => [step, 100 * hellaswag]),
    },
  },
  gradients: { title: 'norm of gradients', of: ({ gradientNorm }) => gradientNorm },
  rate: { title: 'learning rate', of: ({ rate }) => rate },
  speed: { title: 'tokens per second', of: ({ tokens, seconds }) => tokens / seconds },
  load: { title: "the busiest expert's load over the mean", of: ({ imbalance }) => imbalance },
  further: { title: 'loss of further tokens, nats', of: ({ predictionLoss }) => predictionLoss },
  share: { title: "share of the machine's peak, %", of: ({ share }) => (share == null ? null : 100 * share) },
} satisfies Record<string, Metric>
export type MetricName = keyof typeof METRICS

/** Names that tell runs apart: the folder's own, or the whole path where two are alike. */
export function namesOf(runs: readonly RunRecord[]): string[] {
  const short = runs.map(({ folder }) => basename(resolve(folder)))
  return short.map((name, i) => (short.indexOf(name) === short.lastIndexOf(name) ? name : (runs[i]?.folder ?? name)))
}

/** The series of a metric: a line for each run, and what was measured now and then as marks. `smooth`: steps that one value is the mean of. */
export function seriesOf(runs: readonly RunRecord[], metric: MetricName, smooth: number): Series[] {
  const names = namesOf(runs)
  const { of, marks }: Metric = METRICS[metric]
  return runs.flatMap((record, run) => {
    const name = names[run] as string
    const points = record.steps.flatMap((step): Point[] => {
      const value = of?.(step)
      return typeof value === 'number' && Number.isFinite(value) ? [[step.step, value]] : []
    })
    const line: Series = { name, run, kind: 'line', points: smoothed(points, smooth) }
    const dots: Series = { name: `${name}, ${marks?.name}`, run, kind: 'marks', points: marks?.of(record) ?? [] }
    return [line, dots].filter(one => one.points.length > 0)
  })
}

/** Each value is the mean of it and of those before it, `count` in all or as many as there are. */
function smoothed(points: readonly Point[], count: number): Point[] {
  let sum = 0
  return points.map(([step, value], i) => {
    sum += value - (points[i - count]?.[1] ?? 0)
    return [step, sum / Math.min(count, i + 1)]
  })
}
