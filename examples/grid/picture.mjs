/** Differences of losses from one kind of attention, a panel for each task: means as dots, intervals of 95 % as lines. */
import { escaped, svg } from '../ladder/pictures.mjs'

const [ROW, LEFT, WIDTH, RIGHT] = [20, 150, 560, 30]

/** `rows`: of `summary`. */
export function picture(rows, against) {
  const tasks = [...new Set(rows.map(({ task }) => task))]
  let top = 52
  const parts = tasks.flatMap(task => {
    const own = rows.filter(row => row.task === task && row.difference)
    const drawn = panel(task, own, top)
    top += ROW * (own.length + 2) + 14
    return drawn
  })
  return svg(LEFT + WIDTH + RIGHT, top + 6, `Losses, as differences from that of ${against}, nats`, parts)
}

function panel(task, rows, top) {
  const ends = rows.flatMap(({ difference: { mean, half } }) => [mean - (half ?? 0), mean + (half ?? 0)])
  const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)]
  const x = value => (LEFT + 10 + ((value - low) / (high - low || 1)) * (WIDTH - 20)).toFixed(1)
  const bottom = top + ROW * (rows.length + 1)
  const ticks = [...new Set([low, 0, high])].flatMap(value => [
    `<line class="grid" x1="${x(value)}" x2="${x(value)}" y1="${top + 8}" y2="${bottom}"/>`,
    `<text class="middle" x="${x(value)}" y="${bottom + 14}">${value.toFixed(3)}</text>`,
  ])
  const lines = rows.flatMap(({ attention, bytesPerToken, difference: { mean, half } }, i) => {
    const y = top + ROW * (i + 1)
    return [
      `<text class="end" x="${LEFT - 8}" y="${y + 4}">${escaped(attention)} (${bytesPerToken} B)</text>`,
      ...(half === null ? [] : [`<polyline points="${x(mean - half)},${y} ${x(mean + half)},${y}" stroke="#0072b2"/>`]),
      `<circle cx="${x(mean)}" cy="${y}" r="4" fill="#d55e00"/>`,
    ]
  })
  return [`<text x="12" y="${top}">${escaped(task)}</text>`, ...ticks, ...lines]
}
