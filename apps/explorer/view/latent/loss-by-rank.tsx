/** What each rank loses, over all ranks: the mean of the layers, and the one that loses most. */
import type { Spectrum } from '../../../../src/browser.ts'
import { Figure } from '../../drawing/figure.tsx'
import { whole } from '../../drawing/format.ts'
import { StepsChart } from '../../drawing/steps-chart.tsx'

export function LossByRank({ spectra, most }: { spectra: readonly Spectrum[]; most: number }) {
  const losses = (rank: number) => spectra.map(({ errors }) => errors[Math.min(rank, errors.length - 1)] ?? 0)
  const ranks = Array.from({ length: most + 1 }, (_, rank) => rank)
  const means = ranks.map(rank => losses(rank).reduce((sum, loss) => sum + loss, 0) / spectra.length)
  const worst = ranks.map(rank => Math.max(...losses(rank)))
  const points = (values: readonly number[]) => values.map((value, rank) => [rank, value] as const)
  return (
    <Figure
      title="What each rank loses"
      file="latentkit-loss-by-rank"
      note="From rank 0, which keeps nothing, to all directions of this text. Where the line falls fast, a few directions hold nearly all."
    >
      <StepsChart
        label={`Loss by rank, mean of the layers: ${means.map((loss, rank) => `${rank} ${loss.toFixed(4)}`).join(', ')}`}
        series={[
          { kind: 'mha', label: 'worst layer', points: points(worst) },
          { kind: 'mla', label: 'mean', points: points(means) },
        ]}
        formatX={whole}
        formatY={String}
      />
    </Figure>
  )
}
