/** Our steps of training, as bench/train.ts runs them: prints one line of JSON at its end. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createNativeKernels } from '../../src/kernels/core/node/addon.ts'
import { Profile } from '../../src/kernels/core/profile.ts'
import { Rng } from '../../src/sampling/rng.ts'
import { AdamW } from '../../src/training/adamw.ts'
import { freshModel } from '../../src/training/fresh.ts'
import { Trainer } from '../../src/training/trainer.ts'
import type { TrainingText } from '../../src/training/training-texts.ts'
import { printTable, quantiles } from '../support/report.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    batch: { type: 'string', default: '16' },
    length: { type: 'string', default: '512' },
    threads: { type: 'string', default: '2' },
    steps: { type: 'string', default: '3' },
    compute: { type: 'string', default: 'f32' },
    profile: { type: 'boolean', default: false },
  },
})
const [batch, length, steps] = [Number(values.batch), Number(values.length), Number(values.steps)]
const file = positionals[0] as string
const config = JSON.parse(readFileSync(file, 'utf8'))
const opened = await freshModel({ name: 'bench', configFile: file, config, warnings: [] }, 1)
const kernels = await createNativeKernels({ threads: Number(values.threads) })
const trainer = await Trainer.load(opened, kernels, { compute: values.compute === 'bf16' ? 'bf16' : 'f32' })
const optimiser = new AdamW(kernels, trainer.parameters.all)
const rng = Rng.seeded(1n)

/** Texts computed at a time, as `train` does by default. */
const together = Math.max(1, Math.floor(2048 / length))
const rates: number[] = []
for (let step = 0; step < steps + 2; step++) {
  const texts = Array.from({ length: batch }, text)
  if (step === steps + 1 && values.profile) kernels.memory.profile = new Profile()
  const began = performance.now()
  trainer.clearGradients()
  for (let first = 0; first < batch; first += together) {
    await trainer.gradients(texts.slice(first, first + together), { mean: batch * (length - 1) })
  }
  await optimiser.step(1e-3, Math.min(1, 1 / (await trainer.norm('gradient'))))
  if (step >= 2) rates.push((1000 * batch * length) / (performance.now() - began))
}
if (kernels.memory.profile) showProfile(kernels.memory.profile)
console.log(
  JSON.stringify({
    parameters: trainer.parameters.count,
    median: quantiles(rates)(0.5),
    peakMB: process.resourceUsage().maxRSS / 1024,
  }),
)
kernels.dispose()

/** Ids that a text is followed by, as PyTorch's labels are: the last one asks for nothing. */
function text(): TrainingText {
  const ids = Int32Array.from({ length: length + 1 }, () => Math.floor(rng.next() * opened.config.vocabSize))
  ids[length] = -1
  return { tokens: ids.subarray(0, length), targets: ids.subarray(1) }
}

function showProfile(profile: Profile): void {
  const sums = new Map<string, { count: number; seconds: number; work: number }>()
  for (const { operation, work, count, seconds } of profile.rows()) {
    const sum = sums.get(operation) ?? { count: 0, seconds: 0, work: 0 }
    sums.set(operation, {
      count: sum.count + count,
      seconds: sum.seconds + seconds,
      work: sum.work + work * count,
    })
  }
  const all = [...sums.values()].reduce((n, { seconds }) => n + seconds, 0)
  printTable([
    ['operation', 'times', 'ms', 'share', 'G work/s'],
    ...[...sums]
      .sort(([, a], [, b]) => b.seconds - a.seconds)
      .map(([name, { count, seconds, work }]) => [
        ...[name, String(count), (1000 * seconds).toFixed(1), `${((100 * seconds) / all).toFixed(1)} %`],
        (work / seconds / 1e9).toFixed(1),
      ]),
  ])
}
