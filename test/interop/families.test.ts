/**
 * Families with other sizes, seeds and switches than the fixtures have: transformers makes small checkpoints and their numbers in
 * float64, and every way of computing them here is held to those. LATENTKIT_FAMILIES names some; the default is all.
 */
import { describe, expect, it } from 'vitest'
import { verifyFolder } from '../../src/inspection/verify/verify.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { planModelFromJson } from '../../src/planning/read/json.ts'
import { readPlanModel } from '../../src/planning/read/open.ts'
import { countWeights } from '../../src/planning/weights.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { madeModels, python, runScript } from './made-models.ts'

const sets = KERNEL_SETS.filter(set => set.missing === null)
const { wanted, seed, run } = madeModels('make_families.py')
/** How many of drawn sizes and switches; 30 are one of each family and some. */
const drawn = process.env.LATENTKIT_DRAWN_FAMILIES ?? '0'

describe.skipIf(!python)(
  'families as transformers computes them (needs LATENTKIT_PYTHON)',
  { timeout: 300_000 },
  () => {
    for (const name of wanted) {
      it(name, async () => {
        const root = tempFolder()
        run(root, name, '--seed', seed)
        const folder = `${root}/${name}`
        const report = await verifyFolder(folder, { kernels: sets })
        expect(report.error).toBe(null)
        expect(report.rows.filter(row => !row.passed)).toEqual([])
        // What config.json says of the weights is what the files have of the language model. (transformers gives A.X-K1 a bias.)
        if (name === 'axk1-odd') return
        const { checkpoint } = await openModel(folder)
        const counted = countWeights(planModelFromJson(checkpoint.config), { draft: false }).parameters
        expect(counted).toBe((await readPlanModel(folder)).stored?.parameters)
      })
    }
    it.skipIf(drawn === '0')(`${drawn} of drawn sizes and switches`, { timeout: 3_600_000 }, async () => {
      const root = tempFolder()
      // Each day others.
      const made = runScript('random_families.py', root, drawn, '--seed', String(Number(drawn) * Number(seed)))
        .trim()
        .split('\n')
      expect(made.length).toBeGreaterThan(0.8 * Number(drawn))
      const wrong: unknown[] = []
      for (const name of made) {
        const { rows, error } = await verifyFolder(`${root}/${name}`, {
          kernels: sets.slice(0, 1),
          cacheTypes: ['f32'],
        })
        if (error || rows.length === 0) wrong.push({ name, error })
        // Some of such models multiply errors: those of torch in f32 were ten times the usual tolerance, a mistake's are far beyond.
        for (const { logitMedian, greedy, ...way } of rows) {
          // No number is no smaller one.
          if (!(logitMedian <= 2e-4) || greedy?.agreeing !== greedy?.expected)
            wrong.push({ name, logitMedian, greedy, way })
        }
      }
      expect(wrong).toEqual([])
    })
    it.skipIf(python)('needs LATENTKIT_PYTHON with torch, transformers and safetensors', () => {})
  },
)
