/**
 * GGUF files against the numbers of transformers, made from the same weights dequantised: every layout, every quirk of
 * names, positions and experts. Two files that are larger lie beside the project.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readIntegers } from '../../src/checkpoint/read-tensor.ts'
import { readSafetensorsHeader } from '../../src/checkpoint/safetensors/safetensors.ts'
import { openFile } from '../../src/checkpoint/source/file-source.ts'
import { verifyFolder } from '../../src/inspection/verify/verify.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { loadModel, unusedTensors } from '../../src/model/load.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'

const OURS = fileURLToPath(new URL('../fixtures/gguf/', import.meta.url))
const SHARED = fileURLToPath(new URL('../../../shared/fixtures/gguf/', import.meta.url))

const namesIn = (root: string) =>
  existsSync(root) ? readdirSync(root).flatMap(file => /^(.*)\.expected\.json$/.exec(file)?.[1] ?? []) : []
const ours = namesIn(OURS)
const shared = namesIn(SHARED).filter(name => !ours.includes(name))

const files = [...ours.map(name => ({ root: OURS, name })), ...shared.map(name => ({ root: SHARED, name }))]

describe.each(files)('$name', ({ root, name }) => {
  const file = readdirSync(root).find(f => f.startsWith(name) && f.endsWith('.gguf')) as string
  const path = `${root}${file}`

  for (const set of KERNEL_SETS) {
    // The reference is slow by design: greedy text and deep models are left to the others, which it is held to.
    const slow = set.name === 'reference'
    const skip = set.missing !== null || (slow && name === 'deepseek2-lite-q4_k_m')
    it.skipIf(skip)(`computes what transformers computes, on ${set.name}`, async () => {
      const options = { arithmetic: ['exact'], cacheTypes: ['f32'], prefills: ['whole'], greedy: !slow } as const
      const report = await verifyFolder(path, { kernels: [set], ...options })
      expect(report.error).toBe(null)
      expect(report.rows.filter(row => !row.passed)).toEqual([])
      expect(report.rows.length).toBe(name.startsWith('deepseek2') ? 2 : 1)
      for (const { logitError, greedy } of report.rows) {
        // llama.cpp itself, with f32 weights and an f32 cache, is 4e-5 away.
        expect(logitError).toBeLessThan(6e-5)
        expect(greedy).toEqual(slow ? null : { agreeing: 64, expected: 64 })
      }
    })
  }

  it('leaves no tensor over', async () => {
    const opened = await openModel(path)
    expect(unusedTensors(opened).length).toBeGreaterThan(0)
    const kernels = createReferenceKernels()
    const model = await loadModel(opened, kernels)
    expect(unusedTensors(opened)).toEqual([])
    model.dispose()
    kernels.dispose()
  })

  it('cuts its texts into the ids it was given', async () => {
    const { tokenizer, tokenizerConfig } = (await openModel(path)).checkpoint
    const t = createTokenizer({ tokenizer, config: tokenizerConfig, folder: `${file}/` })
    const { tensors } = await readSafetensorsHeader(await openFile(`${root}${name}.expected.safetensors`))
    const { prompts } = JSON.parse(readFileSync(`${root}${name}.expected.json`, 'utf8')) as {
      prompts: { text: string }[]
    }
    for (const [i, { text }] of prompts.entries()) {
      const ids = await readIntegers(tensors.get(`${i}.input_ids`)!)
      expect(t.encodePrompt(text)).toEqual(ids)
      expect(t.encode(text)).toEqual(ids)
      expect(t.decode(ids, { skipSpecialTokens: true })).toBe(text)
    }
  })
})

it.skipIf(shared.length > 0)('2 more GGUF files need ../shared, which is not here', () => {})
