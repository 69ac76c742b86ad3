/** The operations that a step is said to take are those that its products are asked for. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { OPERATIONS } from '../../src/kernels/operations/table.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { freshModel } from '../../src/training/fresh.ts'
import type { LearnOptions } from '../../src/training/learned-model.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { EXPERTS, smallModel } from './small-model.ts'

const place = mkdtempSync(join(tmpdir(), 'latentkit-flops-'))
afterAll(() => rmSync(place, { recursive: true }))

const OF_EXPERTS = ['trainingExpertMatmul', 'expertMatmulBackward', 'expertWeightBackward']
const COUNTED = new Set(['trainingMatmul', 'matmulBackward', 'weightBackward', ...OF_EXPERTS])
/** Of one query and one key of the small model: two heads, queries of 10 numbers, values of 6. */
const PAIR = 2 * (10 + 6)

/** Kernels that count multiplications of products with weights. */
function counting(): { readonly kernels: Kernels; readonly count: () => number } {
  let count = 0
  const kernels = new Proxy(createReferenceKernels(), {
    get(target, name: string) {
      const value = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: never[]) => {
        if (COUNTED.has(name)) {
          const { from } = OPERATIONS[name as keyof typeof OPERATIONS] as unknown as {
            from: (...args: never[]) => { work: number }
          }
          count += from(...args).work
        }
        return value.apply(target, args)
      }
    },
  })
  return { kernels, count: () => count }
}

async function check(name: string, changes: object, options: LearnOptions, tolerance = 0): Promise<void> {
  const folder = smallModel(join(place, name), { tie_word_embeddings: false, ...changes })
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
  const fresh = await freshModel({ name: 'small', configFile: 'config.json', config, warnings: [] }, 3)
  const { kernels, count } = counting()
  const trainer = await Trainer.load(fresh, kernels, options)
  const lengths = [7, 1, 12]
  const texts = lengths.map(n => ({ tokens: Array.from({ length: n }, (_, i) => i), targets: Array(n).fill(5) }))
  const before = count()
  await trainer.gradients(texts, { predictionWeight: 0.3 })
  const modules = (changes as { num_nextn_predict_layers?: number }).num_nextn_predict_layers ?? 0
  const pairsOf = (further: number) =>
    lengths.reduce((sum, n) => sum + (Math.max(0, n - further) * Math.max(0, n - further + 1)) / 2, 0)
  const layers = 2 * pairsOf(0) + Array.from({ length: modules }, (_, k) => pairsOf(k + 1)).reduce((a, b) => a + b, 0)
  const wanted = 2 * (count() - before) + 6 * layers * PAIR
  const given = trainer.flops(lengths, modules > 0)
  expect(Math.abs(given - wanted) / wanted, `${given} of ${wanted}`).toBeLessThanOrEqual(tolerance)
}

it.each([
  ['weights', {}, {}],
  ['experts', EXPERTS, {}],
  ['modules of further tokens', { ...EXPERTS, num_nextn_predict_layers: 2 }, {}],
  ['an adapter', {}, { lora: { rank: 3 } }],
  ['an adapter of some matrices', {}, { lora: { rank: 2, targets: ['o_proj'] } }],
] as [string, object, LearnOptions][])('%s', check)

it('what is frozen counts by its share of numbers', () => check('frozen', {}, { freeze: ['mlp', 'embed_tokens'] }, 0.2))
