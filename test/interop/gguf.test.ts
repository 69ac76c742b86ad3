/**
 * Files that llama.cpp's own Python package writes, of every architecture and layout that is read here: the numbers of
 * the fixture checkpoints must come out as from their safetensors. Needs Python with `gguf` and `numpy` (PyPI), named by
 * LATENTKIT_PYTHON or found as python3.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { verifyFolder } from '../../src/inspection/verify/verify.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { tempFolder } from '../support/temp-folder.ts'

const PYTHON = process.env.LATENTKIT_PYTHON ?? 'python3'
const here = spawnSync(PYTHON, ['-c', 'import gguf, numpy'], { stdio: 'ignore' }).status === 0
const ROOTS = ['../fixtures/checkpoints', '../../../shared/fixtures/checkpoints'].map(f => join(import.meta.dirname, f))

const CASES: readonly (readonly [checkpoint: string, ...flags: string[]])[] = [
  ['llama-gqa'],
  ['llama3-rope'],
  ['mistral'],
  ['qwen2'],
  ['qwen3'],
  ['gemma3-mqa'],
  ['falcon-mqa'],
  ['gpt2'],
  ['minicpm3'],
  ['deepseek-v2'],
  ['deepseek-v2', '--legacy'],
  ['deepseek-v2-lite'],
  ['deepseek-v2-lite', '--legacy', '--fused'],
  ['deepseek-v3'],
  ['deepseek-v3', '--legacy'],
  ['kimi-k2'],
  ['kimi-k2', '--fused'],
  ['glm4-moe-lite'],
  ['youtu'],
  ['youtu', '--legacy'],
]

const reference = { name: 'reference', make: async () => createReferenceKernels() }

describe.skipIf(!here)(`GGUF files by llama.cpp's Python package, needs ${PYTHON} with gguf and numpy`, () => {
  for (const [name, ...flags] of CASES) {
    const folder = ROOTS.map(root => join(root, name)).find(existsSync)
    it.skipIf(folder === undefined)([name, ...flags].join(' '), { timeout: 120_000 }, async () => {
      const out = tempFolder()
      const path = join(out, 'm.gguf')
      const script = join(import.meta.dirname, 'make_gguf.py')
      const made = spawnSync(PYTHON, [script, folder as string, path, ...flags], { encoding: 'utf8' })
      expect(made.stderr + made.stdout).toBe('')
      copyFileSync(join(folder as string, 'expected.safetensors'), join(out, 'm.expected.safetensors'))
      const report = await verifyFolder(path, { kernels: [reference], cacheTypes: ['f32'], prefills: ['whole'] })
      expect(report.error).toBe(null)
      expect(report.rows.length).toBeGreaterThan(0)
      expect(report.rows.filter(row => !row.passed)).toEqual([])
    })
  }
})

it.skipIf(here)(`${CASES.length} files need ${PYTHON} with gguf and numpy, which is not here`, () => {})
