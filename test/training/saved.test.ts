/** What a run saves is the model that has learned, however the first files stored it: read again, it has the same loss. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { AdamW } from '../../src/training/adamw.ts'
import { RunFolder } from '../../src/training/run/run-folder.ts'
import { writeLearned } from '../../src/training/run/write-checkpoint.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { checkpointFolders, ggufFiles } from '../support/all-fixtures.ts'

const place = mkdtempSync(join(tmpdir(), 'latentkit-saved-'))
afterAll(() => rmSync(place, { recursive: true }))

/** FP8, bf16 (four of them), norms with an offset, matrices stored the other way, joined projections, experts with a bias of choice, quantised GGUF files. */
const FOLDERS = ['deepseek-v3-fp8', 'gemma3-mqa', 'gpt2', 'falcon-mqa', 'minicpm3', 'deepseek-v2-lite']
const FILES = ['llama-gqa-q4_1', 'qwen2-q5_0']

it.each([
  ...FOLDERS.map(name => [name, checkpointFolders().get(name)]),
  ...FILES.map(name => [name, ggufFiles().get(name)]),
] as [string, string][])(
  '%s',
  async (name, path) => {
    const opened = await openModel(path)
    const kernels = createReferenceKernels()
    const trainer = await Trainer.load(opened, kernels)
    const tokens = Array.from({ length: 6 }, (_, i) => (i * 37 + 5) % opened.config.vocabSize)
    const texts = [{ tokens: tokens.slice(0, -1), targets: tokens.slice(1) }]
    const before = await trainer.gradients(texts)
    await new AdamW(kernels, trainer.parameters.all).step(1e-3)
    const learned = await trainer.loss(texts)
    expect(learned).toBeLessThan(before)

    const run = await RunFolder.open(join(place, name))
    const folder = await run.save(
      { step: 1, best: null },
      folder => writeLearned(trainer, opened, path, folder),
      new Map(),
    )
    await run.close()
    const again = await Trainer.load(await openModel(folder), kernels)
    expect(await again.loss(texts)).toBeCloseTo(learned, 4)
    kernels.dispose()
  },
  120_000,
)
