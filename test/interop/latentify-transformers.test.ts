/**
 * Latent models, loaded by the real transformers: where all is kept, they give the numbers that it gave for the originals.
 * Needs Python with torch, transformers and safetensors (PyPI), named by LATENTKIT_PYTHON or found as python3.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { latentifyModel } from '../../src/latentify/latentify.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { fixture } from '../latentify/models.ts'
import { tempFolder } from '../support/temp-folder.ts'

const PYTHON = process.env.LATENTKIT_PYTHON ?? 'python3'
const here = spawnSync(PYTHON, ['-c', 'import torch, transformers, safetensors'], { stdio: 'ignore' }).status === 0
/** Mistral's window has no place in transformers' deepseek_v3. */
const NAMES = ['llama-gqa', 'llama3-rope', 'qwen2']

describe.skipIf(!here)(`transformers on what latentify writes, needs ${PYTHON} with torch and transformers`, () => {
  const cases = NAMES.flatMap(name => [false, true].map(queryLatent => ({ name, queryLatent, folder: fixture(name) })))
  it.skipIf(cases.some(({ folder }) => folder === undefined))(NAMES.join(), { timeout: 600_000 }, async () => {
    const jobs: object[] = []
    for (const { folder, queryLatent } of cases) {
      const original = folder as string
      const attention = (await openModel(original)).config.layers[0]?.attention
      if (attention?.kind !== 'grouped') throw new TypeError('a model with grouped attention is expected')
      const size = attention.nKvHeads * attention.headDim
      const out = join(tempFolder(), 'latent')
      await latentifyModel(original, out, { rank: size, rope: size, queryLatent })
      jobs.push({ folder: out, expected: join(original, 'expected.safetensors'), texts: [] })
    }
    const { stdout } = spawnSync(PYTHON, [join(import.meta.dirname, 'check_folder.py')], {
      input: jobs.map(job => `${JSON.stringify(job)}\n`).join(''),
      env: { ...process.env, HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error' },
    })
    const answers = stdout
      .toString()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(answers.length).toBe(cases.length)
    for (const answer of answers) {
      expect(answer).toMatchObject({
        model: 'DeepseekV3ForCausalLM',
        missing: [],
        unexpected: [],
        greedy: [true, true, true],
      })
      // It turns by angles in f32.
      expect(answer.worst).toBeLessThan(5e-4)
    }
  })
})
