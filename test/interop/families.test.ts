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
import { madeModels, python } from './made-models.ts'

const sets = KERNEL_SETS.filter(set => set.missing === null)
const { wanted, seed, run } = madeModels('make_families.py')

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
    it.skipIf(python)('needs LATENTKIT_PYTHON with torch, transformers and safetensors', () => {})
  },
)
