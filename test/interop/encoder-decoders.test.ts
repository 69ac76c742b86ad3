/**
 * Encoder-decoders of other sizes, seeds and switches than the fixtures have: transformers makes small checkpoints, their numbers in float64, and
 * greedy texts and beams, and every way of computing them here is held to those. LATENTKIT_FAMILIES names some; the default is all.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { verifyFolder } from '../../src/inspection/verify/verify.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { planModelFromJson } from '../../src/planning/read/json.ts'
import { readPlanModel } from '../../src/planning/read/open.ts'
import { countWeights } from '../../src/planning/weights.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { madeModels, python } from './made-models.ts'

const sets = KERNEL_SETS.filter(set => set.missing === null)
const { wanted, seed, run } = madeModels('make_encoder_decoders.py')

interface Found {
  readonly source: string
  readonly source_ids: readonly number[]
  readonly greedy: { readonly ids: readonly number[] }
  readonly beams: readonly { readonly ids: readonly number[]; readonly score: number }[]
}

describe.skipIf(!python)(
  'encoder-decoders as transformers computes them (needs LATENTKIT_PYTHON)',
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
        await using engine = await Engine.load(folder, { inline: true, threads: 1, cacheType: 'f32' })
        const found = JSON.parse(readFileSync(`${folder}/texts.json`, 'utf8')) as Found[]
        for (const { source, source_ids, greedy, beams } of found) {
          expect(await engine.tokenize(source, { addSpecialTokens: true })).toEqual(source_ids)
          const written = await engine.session().prompt(source, { temperature: 0, maxTokens: 20 })
          expect(written.tokenIds).toEqual(greedy.ids)
          const options = { maxTokens: 14, beams: { width: 3, earlyStopping: true } } as const
          const searched = await engine.session().prompt({ tokenIds: source_ids }, options)
          expect(searched.beams?.map(({ tokenIds }) => tokenIds)).toEqual(beams.map(({ ids }) => ids))
        }
        // What config.json says of the weights is what the files have.
        const { checkpoint } = await openModel(folder)
        const counted = countWeights(planModelFromJson(checkpoint.config), { draft: false }).parameters
        expect(counted).toBe((await readPlanModel(folder)).stored?.parameters)
      })
    }
    it.skipIf(python)('needs LATENTKIT_PYTHON with torch, transformers, tokenizers and safetensors', () => {})
  },
)
