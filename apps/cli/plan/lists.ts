/** What is known by name. */
import type { Machine } from '../../../src/planning/index.ts'
import type { Colours } from '../output/colour.ts'
import { integer } from '../output/format.ts'
import { table } from '../output/table.ts'

export async function modelsView(c: Colours): Promise<string> {
  const { PARAMETERS, plan, published, publishedModel } = await import('../../../src/planning/index.ts')
  const rows = published().map(({ hub, alike }) => {
    const { weights, cache } = plan(publishedModel(hub))
    const others = alike.map(name => name.slice(name.lastIndexOf('/') + 1)).join(', ')
    const counts = PARAMETERS[hub]?.map(n => (/^\d+$/.test(n) ? 'all digits' : n)).join(' / ') ?? ''
    return [hub, integer(weights.parameters), counts, integer(cache.bytesPerToken), others]
  })
  const right = (head: string) => ({ head, align: 'right' as const })
  const columns = [
    { head: 'model (sizes from its config.json on huggingface.co)' },
    right('parameters counted'),
    right('published'),
    right('B per token, bf16'),
    { head: 'also' },
  ]
  return table(columns, rows, { style: c.dim })
}

export function machinesView(machines: readonly Machine[], c: Colours): string {
  const tera = (n: number | null | undefined) => (n ? integer(n / 1e12) : '—')
  const rows = machines.map(m => [
    m.name,
    m.title,
    m.memoryBytes === null ? '—' : `${integer(m.memoryBytes / 1e9)} GB`,
    `${integer(m.bandwidth / 1e9)} GB/s`,
    m.flops !== null && m.flops < 1e13 ? (m.flops / 1e12).toFixed(2) : tera(m.flops),
    tera(m.flops8),
    m.source,
  ])
  const right = (head: string) => ({ head, align: 'right' as const })
  const columns = [
    { head: 'name' },
    { head: 'device' },
    right('memory'),
    right('reads'),
    right('TFLOP/s, 16 bits'),
    right('8 bits'),
    { head: 'source' },
  ]
  return table(columns, rows, { style: c.dim })
}
