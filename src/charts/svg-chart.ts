/** Series as an SVG file that needs nothing else: light and dark, with a title for readers of screens. */
import { scaleLinear } from 'd3-scale'
import { line } from 'd3-shape'
import { type Point, rangesOf, type Series } from './series.ts'

const WIDTH = 860
const HEIGHT = 420
const MARGIN = { top: 44, right: 20, bottom: 46, left: 66 }
/** Okabe and Ito's colours, which most colour-blind people tell apart. */
const PAINTS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c8c00', '#666666'] as const
const LEGEND_LINE = 18

/** `axis`: what the numbers from left to right are; they are whole. */
export function svgChart(title: string, axis: string, series: readonly Series[]): string {
  const ranges = rangesOf(series)
  const x = scaleLinear(ranges.x, [MARGIN.left, WIDTH - MARGIN.right])
  const y = scaleLinear(ranges.y, [HEIGHT - MARGIN.bottom, MARGIN.top]).nice(6)
  const format = y.tickFormat(6)
  const path = line<Point>()
    .x(([step]) => x(step))
    .y(([, value]) => y(value))
    .digits(1)
  const rows = y
    .ticks(6)
    .flatMap(tick => [
      `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${fixed(y(tick))}" y2="${fixed(y(tick))}"/>`,
      `<text class="end" x="${MARGIN.left - 8}" y="${fixed(y(tick) + 4)}">${format(tick)}</text>`,
    ])
  const columns = x
    .ticks(8)
    .filter(Number.isInteger)
    .map(tick => `<text class="middle" x="${fixed(x(tick))}" y="${HEIGHT - MARGIN.bottom + 18}">${tick}</text>`)
  const drawn = series.flatMap(({ points, run, kind }) => {
    const paint = PAINTS[run % PAINTS.length]
    if (kind === 'line') return [`<path d="${path(points) ?? ''}" stroke="${paint}"/>`]
    const marks = points.map(([step, value]) => `<circle cx="${fixed(x(step))}" cy="${fixed(y(value))}" r="3.5"/>`)
    return [`<g fill="${paint}">${marks.join('')}</g>`]
  })
  const legend = series.flatMap(({ name, run, kind }, i) => {
    const paint = PAINTS[run % PAINTS.length]
    const at = HEIGHT + 6 + i * LEGEND_LINE
    const sign =
      kind === 'line'
        ? `<line x1="${MARGIN.left}" x2="${MARGIN.left + 18}" y1="${at - 4}" y2="${at - 4}" stroke="${paint}" stroke-width="2"/>`
        : `<circle cx="${MARGIN.left + 9}" cy="${at - 4}" r="3.5" fill="${paint}"/>`
    return [sign, `<text x="${MARGIN.left + 26}" y="${at}">${escaped(name)}</text>`]
  })
  const height = HEIGHT + 10 + series.length * LEGEND_LINE
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>
svg { background: #fff; font: 12px system-ui, sans-serif; fill: #222 }
path { fill: none; stroke-width: 1.6; stroke-linejoin: round }
.grid { stroke: #8884 } .end { text-anchor: end } .middle { text-anchor: middle } .title { font-size: 15px; font-weight: 600 }
@media (prefers-color-scheme: dark) { svg { background: #16181c; fill: #ddd } }
</style>`,
    `<text class="title" x="${MARGIN.left}" y="24">${escaped(title)}</text>`,
    ...rows,
    ...columns,
    `<text class="middle" x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - MARGIN.bottom + 36}">${escaped(axis)}</text>`,
    ...drawn,
    ...legend,
    '</svg>',
  ].join('\n')}\n`
}

function fixed(x: number): string {
  return x.toFixed(1)
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`)
}
