/**
 * Folders that `latentkit convert` makes of GGUF files, loaded by the real transformers: logits, greedy texts, token ids.
 * Needs Python with torch, transformers and safetensors (PyPI), named by LATENTKIT_PYTHON or found as python3.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/conversion/convert.ts'
import { openTokenizer } from '../../src/index.ts'
import { expectedPath } from '../../src/inspection/verify/expected.ts'
import { checkpointFolders, familyFolders, ggufFiles } from '../support/all-fixtures.ts'
import { tempFolder } from '../support/temp-folder.ts'

const PYTHON = process.env.LATENTKIT_PYTHON ?? 'python3'
const here = spawnSync(PYTHON, ['-c', 'import torch, transformers, safetensors'], { stdio: 'ignore' }).status === 0

const SMOLLM = join(import.meta.dirname, '../../../shared/models/smollm2-135m-instruct')
const TEXTS = ['Once upon a time, there was a fox.', "  I'll take 12345 of them!\n\n", 'naïve café 日本 🎉', 'a<eos>b']

/** Architectures of which the fixtures have no GGUF file. Kimi and its like become DeepSeek-V3 on the way. */
const BY_WAY_OF_GGUF = [
  'gemma3-mqa',
  'qwen3',
  'falcon-mqa',
  'gpt2',
  'mistral',
  'deepseek-v2',
  'deepseek-v3',
  'minicpm3',
  'qwen3-5',
  'qwen3-5-moe',
  'qwen3-next',
  'lfm2',
  'kimi-linear',
  'bailing-hybrid',
]

interface Answer {
  readonly worst: number
  readonly greedy: readonly boolean[]
  readonly missing: readonly string[]
  readonly unexpected: readonly string[]
  readonly ids: readonly (readonly number[])[]
  readonly chat_template: string | null
  readonly error?: string
}

describe.skipIf(!here)(`transformers on what convert writes, needs ${PYTHON} with torch and transformers`, () => {
  // One process for all: torch takes its time to start.
  let python: ChildProcess
  let lines: AsyncIterator<string>
  beforeAll(() => {
    const env = { ...process.env, HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error' }
    python = spawn(PYTHON, [join(import.meta.dirname, 'check_folder.py')], { env, stdio: ['pipe', 'pipe', 'ignore'] })
    lines = createInterface(python.stdout!)[Symbol.asyncIterator]()
  })
  afterAll(() => void python?.stdin?.end())

  async function check(file: string, expected: string, limit = 2e-4): Promise<Answer> {
    const folder = join(tempFolder(), 'hub')
    await convertModel(file, folder, { weights: 'f32', shardBytes: 100e6 })
    python.stdin?.write(`${JSON.stringify({ folder, expected, texts: TEXTS })}\n`)
    const answer = JSON.parse((await lines.next()).value) as Answer
    expect(answer.error).toBe(undefined)
    expect([answer.missing, answer.unexpected]).toEqual([[], []])
    expect(answer.worst).toBeLessThanOrEqual(limit)
    expect(answer.greedy.every(Boolean)).toBe(true)
    const tokenizer = await openTokenizer(file)
    expect(answer.ids).toEqual(TEXTS.map(text => tokenizer.encode(text, { addSpecialTokens: false })))
    return answer
  }

  for (const [name, file] of ggufFiles()) {
    it(name, { timeout: 600_000 }, async () => {
      const { greedy } = await check(file, expectedPath(file))
      expect(greedy.length).toBeGreaterThan(0)
    })
  }

  for (const name of BY_WAY_OF_GGUF) {
    const folder = checkpointFolders().get(name) ?? familyFolders().get(name)
    it.skipIf(folder === undefined)(`${name}, by way of GGUF`, { timeout: 600_000 }, async () => {
      const file = join(tempFolder(), 'm.gguf')
      await convertModel(folder as string, file, { weights: 'f32' })
      // Its float32 differs by 2.7e-4 from float64.
      await check(file, join(folder as string, 'expected.safetensors'), name === 'bailing-hybrid' ? 4e-4 : undefined)
    })
  }

  it.skipIf(!existsSync(SMOLLM))('SmolLM2-135M-Instruct, with its template', { timeout: 600_000 }, async () => {
    const file = join(SMOLLM, 'SmolLM2-135M-Instruct.Q4_1.gguf')
    const answer = await check(file, join(SMOLLM, 'expected.safetensors'))
    expect(answer.chat_template).toBe((await openTokenizer(file)).chatTemplate())
  })
})
