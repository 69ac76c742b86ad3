/** Pictures as SVG that needs nothing else. */

export const escaped = text => text.replace(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`)
const PAINTS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c8c00', '#666666']

export function svg(width, height, title, parts) {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>
svg { background: #fff; font: 12px system-ui, sans-serif; fill: #222 }
polyline { fill: none; stroke-width: 2 } .grid { stroke: #8884 } .end { text-anchor: end } .middle { text-anchor: middle }
.title { font-size: 15px; font-weight: 600 } .cell { fill: #0072b2 }
@media (prefers-color-scheme: dark) { svg { background: #16181c; fill: #ddd } .cell { fill: #56b4e9 } }
</style>`,
    `<text class="title" x="12" y="24">${escaped(title)}</text>`,
    ...parts,
    '</svg>',
  ].join('\n')}\n`
}

/** What each of `rows` looked at among `columns`: the darker, the more. `weights`: a list for each row. */
export function alignment(title, rows, columns, weights) {
  const [cell, left, top] = [18, 40, 130]
  const name = (text, x, y, turned = '') => `<text class="end" x="${x}" y="${y}"${turned}>${escaped(text)}</text>`
  const heads = columns.map((word, c) => {
    const [x, y] = [left + (c + 0.5) * cell + 4, top - 6]
    return `<text x="${x}" y="${y}" transform="rotate(-60 ${x} ${y})">${escaped(word)}</text>`
  })
  const lines = rows.flatMap((letter, r) => [
    name(letter === ' ' ? '␣' : letter, left - 8, top + (r + 0.75) * cell),
    ...weights[r].map(
      (weight, c) =>
        `<rect class="cell" x="${left + c * cell}" y="${top + r * cell}" width="${cell - 1}" height="${cell - 1}" opacity="${Math.max(0.03, weight).toFixed(3)}"/>`,
    ),
  ])
  const width = Math.max(left + columns.length * cell + 60, 30 + 8 * title.length)
  return svg(width, top + rows.length * cell + 16, title, [...heads, ...lines])
}

/** Shares, 0 to 1, by place: a line for each of `series`, { name: [share, ...] }. */
export function shares(title, places, series) {
  const [width, height, left, top] = [760, 300, 60, 44]
  const x = i => left + 20 + (i * (width - left - 60)) / Math.max(1, places.length - 1)
  const y = share => top + (1 - share) * height
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap(share => [
    `<line class="grid" x1="${left}" x2="${width - 20}" y1="${y(share)}" y2="${y(share)}"/>`,
    `<text class="end" x="${left - 8}" y="${y(share) + 4}">${100 * share} %</text>`,
  ])
  const under = places.map((place, i) => `<text class="middle" x="${x(i)}" y="${top + height + 20}">${place}</text>`)
  const drawn = Object.entries(series).flatMap(([name, values], s) => {
    const [paint, line] = [PAINTS[s % PAINTS.length], top + height + 46 + 18 * s]
    const dashes = s < PAINTS.length ? '' : ' stroke-dasharray="6 4"'
    const points = values.map((share, i) => `${x(i).toFixed(1)},${y(share).toFixed(1)}`).join(' ')
    return [
      `<polyline points="${points}" stroke="${paint}"${dashes}/>`,
      `<line x1="${left}" x2="${left + 24}" y1="${line - 4}" y2="${line - 4}" stroke="${paint}" stroke-width="2"${dashes}/>`,
      `<text x="${left + 32}" y="${line}">${escaped(name)}</text>`,
    ]
  })
  return svg(width, top + height + 50 + 18 * Object.keys(series).length, title, [...grid, ...under, ...drawn])
}
