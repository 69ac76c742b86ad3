/**
 * PEFT loads the adapters that a run saves, and computes our logits. Needs Python with torch, transformers and peft (PyPI), named by
 * LATENTKIT_PYTHON or found as python3. What PEFT saves, we read: test/adapter, with fixtures of make_lora.py.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { writeLearned } from '../../src/training/run/write-checkpoint.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { fixture, folderOf, logitsOf, NAMES } from '../adapter/fixtures.ts'
import { expectClose } from '../support/compare.ts'

const PYTHON = process.env.LATENTKIT_PYTHON ?? 'python3'
const here = spawnSync(PYTHON, ['-c', 'import torch, transformers, peft'], { stdio: 'ignore' }).status === 0
const place = mkdtempSync(join(tmpdir(), 'latentkit-peft-'))
afterAll(() => rmSync(place, { recursive: true }))

describe.skipIf(!here)(`PEFT, needs ${PYTHON} with torch, transformers and peft`, () => {
  it('loads what was learned and has the same logits', async () => {
    const kernels = createReferenceKernels()
    const { ids } = await fixture('llama')
    const pairs: string[] = []
    const ours: Float32Array[] = []
    for (const name of NAMES) {
      const { base } = await fixture(name)
      // All matrices that can have one, but in a model with experts those of attention: PEFT changes experts by other means.
      const targets =
        name === 'llama' ? undefined : ['q_a_proj', 'q_b_proj', 'kv_a_proj_with_mqa', 'kv_b_proj', 'o_proj']
      const trainer = await Trainer.load(base, kernels, {
        lora: { rank: 2, rankStabilised: true, ...(targets && { targets }) },
      })
      const values = await trainer.parameters.numbers()
      for (const [tensor, numbers] of values)
        values.set(
          tensor,
          numbers.map((_, i) => Math.sin(i + tensor.length) / 4),
        )
      trainer.parameters.restore(values)
      const folder = join(place, name)
      await writeLearned(trainer, base, join(folderOf(name), 'base'), folder)
      pairs.push(join(folderOf(name), 'base'), folder)
      ours.push(await logitsOf(base, kernels, ids.tokens, { trainer }))
    }
    const script = fileURLToPath(new URL('check_peft.py', import.meta.url))
    const { stdout, stderr } = spawnSync(PYTHON, [script, JSON.stringify(ids.tokens), ...pairs], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    })
    const found = stdout
      .trim()
      .split('\n')
      .filter(line => line.startsWith('{'))
    expect(found, stderr).toHaveLength(NAMES.length)
    for (const [i, line] of found.entries()) {
      const { unfit, logits } = JSON.parse(line) as { unfit: string[]; logits: number[] }
      expect(unfit).toEqual([])
      expectClose(NAMES[i] as string, ours[i] as Float32Array, logits, { rel: 1e-3, abs: 1e-3 })
    }
  }, 240_000)
})
