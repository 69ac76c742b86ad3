/** How many patterns models have: a dot for each. */
import { plan, publishedModel } from '../../../../src/planning/index.ts'
import { Figure } from '../../drawing/figure.tsx'
import { whole } from '../../drawing/format.ts'
import { useWidth } from '../../drawing/use-width.ts'

const MODELS = ['gpt2', 'SmolLM2-135M', 'DeepSeek-V2-Lite', 'DeepSeek-R1']
const LABEL = 44
/** Below it only the smallest and the largest have room. */
const NARROW = 520

interface Block {
  readonly name: string
  readonly layers: number
  readonly heads: number
  readonly patterns: number
}

const BLOCKS: readonly Block[] = MODELS.map(name => {
  const { model, cache, attentionPatterns } = plan(publishedModel(name), { context: 1 })
  return {
    name: model.name,
    layers: cache.layers,
    heads: attentionPatterns / cache.layers,
    patterns: attentionPatterns,
  }
})

export function Scale() {
  const { ref, width } = useWidth<HTMLDivElement>()
  const blocks = width < NARROW ? BLOCKS.filter((_, i) => i === 0 || i === BLOCKS.length - 1) : BLOCKS
  const heads = blocks.reduce((n, block) => n + block.heads, 0)
  const gap = 20
  // The names of the small ones need room beside each other.
  const room = 74
  const dot = Math.min(Math.max((width - gap * blocks.length - room * 2) / heads, 1.5), 6)
  const widths = blocks.map(block => Math.max(block.heads * dot, room))
  const tallest = Math.max(...blocks.map(block => block.layers)) * dot
  return (
    <Figure
      title="How many there are"
      file="latentkit-scale"
      note="A dot is one pattern: a column for each head, a row for each layer. GPT-2 has 12 × 12 = 144, DeepSeek-R1 61 × 128 = 7,808."
    >
      <div ref={ref}>
        <svg class="chart" width={width} height={tallest + LABEL} role="img" aria-label={spoken()}>
          <defs>
            <pattern id="dots" width={dot} height={dot} patternUnits="userSpaceOnUse">
              <rect class="dot" width={dot * 0.7} height={dot * 0.7} rx={dot / 4} />
            </pattern>
          </defs>
          {blocks.map((block, i) => {
            const x = widths.slice(0, i).reduce((sum, one) => sum + one + gap, 0)
            return (
              <g key={block.name} transform={`translate(${x} 0)`}>
                <rect
                  y={tallest - block.layers * dot}
                  width={block.heads * dot}
                  height={block.layers * dot}
                  fill="url(#dots)"
                />
                <text class="value strong" y={tallest + 18}>
                  {whole(block.patterns)}
                </text>
                <text class="tick" y={tallest + 36}>
                  {block.name.replace('DeepSeek-', '').replace('-135M', '').replace('gpt2', 'GPT-2')}
                </text>
              </g>
            )
          })}
        </svg>
      </div>
    </Figure>
  )
}

function spoken(): string {
  return BLOCKS.map(
    ({ name, layers, heads, patterns }) => `${name}: ${layers} layers of ${heads} heads, ${patterns}`,
  ).join('; ')
}
