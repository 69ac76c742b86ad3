/** Imports what draws at the first call: few commands do. */
import type { Series } from './series.ts'

/** See `svg-chart.ts`. */
export async function svgChart(title: string, axis: string, series: readonly Series[]): Promise<string> {
  return (await import('./svg-chart.ts')).svgChart(title, axis, series)
}
