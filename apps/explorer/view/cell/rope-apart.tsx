/** Why rope is kept apart: what the part without positions would score, if rope turned it, at every distance of the two tokens. */
import { scaleLinear } from 'd3-scale'
import { line } from 'd3-shape'
import type { Cell, CellPath, CellRotation } from '../../../../src/browser.ts'
import { kindColour } from '../../drawing/colours.ts'
import { Figure } from '../../drawing/figure.tsx'
import { WithMatrices } from '../../drawing/maths.tsx'
import { useWidth } from '../../drawing/use-width.ts'
import { DISTANCES, scoresByDistance } from './turned.ts'

const HEIGHT = 240
const MARGIN = { top: 20, right: 16, bottom: 40, left: 52 }

interface Props {
  cell: Cell
  rotation: CellRotation
  /** The path with the key of N numbers without positions. */
  path: CellPath
}

export function RopeApart({ cell, rotation, path }: Props) {
  const { ref, width } = useWidth<HTMLDivElement>()
  const scores = scoresByDistance(path, rotation, DISTANCES)?.map(score => score * cell.scale)
  if (scores === undefined) return null
  const fixed = path.plainDot * cell.scale
  const all = [...scores, fixed, 0]
  const x = scaleLinear([0, DISTANCES], [MARGIN.left, width - MARGIN.right])
  const y = scaleLinear([Math.min(...all), Math.max(...all)], [HEIGHT - MARGIN.bottom, MARGIN.top]).nice()
  const points = scores.map((score, distance) => [x(distance), y(score)] as [number, number])
  const from = Math.min(...scores).toFixed(2)
  const to = Math.max(...scores).toFixed(2)
  return (
    <Figure
      title="If rope turned the whole key"
      file="latentkit-rope-apart"
      note={
        <>
          The line: what this part of the score would be at each distance of the two tokens, from{' '}
          <span id="turned-from">{from}</span> to <span id="turned-to">{to}</span>. The dashed level: what it is without
          rope, <span id="not-turned">{fixed.toFixed(2)}</span>, whatever the distance. An absorbed query is computed
          once, before it meets the latents, so it can give the level and not the line: for that,{' '}
          <WithMatrices text="W_UK" /> would have to be applied to every cached latent again, at each step.
        </>
      }
    >
      <div ref={ref}>
        <svg
          class="chart"
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={`The part of the score, if rope turned it: from ${from} to ${to} over distances of 0 to ${DISTANCES}; without rope ${fixed.toFixed(2)}`}
        >
          {y.ticks(5).map(tick => (
            <g key={tick}>
              <line class="grid" x1={MARGIN.left} x2={width - MARGIN.right} y1={y(tick)} y2={y(tick)} />
              <text class="tick end" x={MARGIN.left - 8} y={y(tick) + 4}>
                {tick}
              </text>
            </g>
          ))}
          {[0, 8, 16, 24].map(tick => (
            <text key={tick} class="tick middle" x={x(tick)} y={HEIGHT - 22}>
              {tick}
            </text>
          ))}
          <text class="tick middle" x={(MARGIN.left + width - MARGIN.right) / 2} y={HEIGHT - 4}>
            tokens between the query and the key
          </text>
          <line class="level" x1={x(0)} x2={x(DISTANCES)} y1={y(fixed)} y2={y(fixed)} stroke-width={2} />
          <g style={{ color: kindColour('gqa') }}>
            <path class="line" d={line()(points) ?? ''} stroke-width={2.5} />
            {points.map(([cx, cy], i) => (
              <circle key={String(i)} cx={cx} cy={cy} r={3} fill="currentColor" />
            ))}
          </g>
        </svg>
      </div>
    </Figure>
  )
}
