/** What a conversion tells of itself, as files beside the model. */
import { basename } from 'node:path'
import { svgChart } from '../charts/svg-chart.ts'
import { cachedName } from '../checkpoint/hub/cache-layout.ts'
import { writeWhole } from '../conversion/output.ts'
import { VERSION } from '../version.ts'
import { card } from './card.ts'
import type { Measurement, ReportFacts } from './result.ts'
import type { Trial } from './trials.ts'

/** By file name: text. The same facts give the same bytes. */
export function reportFiles(facts: ReportFacts): Map<string, string> {
  const { plan: _, input, calibrate, ...others } = facts
  const name = cachedName(input) ?? basename(input)
  const text = calibrate === null ? null : basename(calibrate)
  const report = { latentkit: VERSION, original: name, ...others, calibrate: text }
  const files = new Map([
    ['README.md', card({ ...facts, name, calibrate: text })],
    ['latentify.json', `${JSON.stringify(report, null, 2)}\n`],
  ])
  if (facts.measured) files.set('latentify.svg', picture(name, facts.measured))
  return files
}

/** Both in nats per token: so they can be compared. */
function picture(name: string, { sizes }: Measurement): string {
  // Of a size that was searched, the last loses least.
  const best = [...new Map(sizes.map(size => [size.rank + size.rope, size])).entries()]
  const of = (value: (size: Trial) => number) => best.map(([numbers, size]) => [numbers, value(size)] as const)
  const parts = [
    {
      name: 'ln of perplexity, more than the original',
      points: of(({ perplexityRatio }) => Math.log(perplexityRatio.mean)),
    },
    { name: 'KL divergence from the original', points: of(({ kl }) => kl.mean) },
  ]
  const series = parts.flatMap((part, run) => [
    { ...part, run, kind: 'line' as const },
    { ...part, run, kind: 'marks' as const },
  ])
  return svgChart(`${name}: nats per token lost by smaller caches`, 'numbers cached per token and layer', series)
}

/** Beside a file: NAME.gguf's report is NAME.latentify.json. */
export async function writeBeside(output: string, texts: ReadonlyMap<string, string>): Promise<string[]> {
  const files: string[] = []
  for (const [name, text] of texts) {
    const path = output.replace(/\.gguf$/i, `.${name.replace('README', 'latentify')}`)
    await writeWhole(path, file => file.write(new TextEncoder().encode(text)))
    files.push(path)
  }
  return files
}
