/**
 * A real model as people have it on disk: SmolLM2-135M-Instruct in Q4_1, beside the project. The reference is too slow
 * for it, so the native kernels compute it, which the conformance suite holds to the reference.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { loadModel } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import type { OpenedModel } from '../../src/model/open/opened-model.ts'
import type { StepInput } from '../../src/nn/step.ts'
import { argmax } from '../../src/sampling/sampler.ts'
import { createTokenizer, type Tokenizer } from '../../src/tokenizer/tokenizer.ts'
import { difference } from '../support/compare.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { readSafetensors } from '../support/safetensors.ts'

const FOLDER = fileURLToPath(new URL('../../../shared/models/smollm2-135m-instruct/', import.meta.url))
const WIKITEXT = fileURLToPath(new URL('../../../shared/data/wikitext-2.test.raw', import.meta.url))
const here = existsSync(FOLDER)
/** Of each greedy continuation; the first is computed whole. `npm run nightly` computes all 64 of each. */
const TOKENS = Number(process.env.LATENTKIT_CONTINUED ?? 16)
const native = KERNEL_SETS.find(set => set.name === 'native') as (typeof KERNEL_SETS)[number]

interface Expected {
  readonly greedy: { readonly prompts: readonly { name: string; ids: number[]; greedy: number[] }[] }
  readonly tokenizer: {
    readonly strings: readonly {
      readonly name: string
      readonly text: string
      readonly ids: number[]
      readonly decoded: string
      readonly decoded_skip_special: string
    }[]
    readonly chats: readonly {
      readonly name: string
      readonly messages: { role: string; content: string }[]
      readonly prompt: string
      readonly prompt_without_generation: string
      readonly ids: number[]
    }[]
    readonly wikitext_2_test_raw: { readonly tokens: number; readonly sha256_of_int32_le: string }
  }
}

describe.skipIf(!here)('SmolLM2-135M-Instruct, needs ../shared', () => {
  const expected = () => JSON.parse(readFileSync(`${FOLDER}expected.json`, 'utf8')) as Expected
  let opened: OpenedModel
  let tokenizer: Tokenizer
  beforeAll(async () => {
    opened = await openModel(FOLDER)
    const { checkpoint } = opened
    tokenizer = createTokenizer({ tokenizer: checkpoint.tokenizer, config: checkpoint.tokenizerConfig })
  })

  it('cuts its torture strings into the expected ids, and back', () => {
    const { strings } = expected().tokenizer
    expect(strings.length).toBe(35)
    for (const { name, text, ids, decoded, decoded_skip_special } of strings) {
      expect(tokenizer.encode(text), name).toEqual(ids)
      expect(tokenizer.encodePrompt(text), name).toEqual(ids)
      expect(tokenizer.decode(ids), name).toBe(decoded)
      expect(tokenizer.decode(ids, { skipSpecialTokens: true }), name).toBe(decoded_skip_special)
    }
  })

  it('renders its conversations', () => {
    const { chats } = expected().tokenizer
    expect(chats.length).toBe(3)
    for (const { name, messages, prompt, prompt_without_generation, ids } of chats) {
      expect(tokenizer.applyChatTemplate(messages, { addGenerationPrompt: true }), name).toBe(prompt)
      expect(tokenizer.applyChatTemplate(messages), name).toBe(prompt_without_generation)
      expect(tokenizer.encodeChat(messages, { addGenerationPrompt: true }), name).toEqual(ids)
    }
  })

  it.skipIf(!existsSync(WIKITEXT))('cuts the whole of WikiText-2 as llama.cpp does', { timeout: 120_000 }, () => {
    const { tokens, sha256_of_int32_le } = expected().tokenizer.wikitext_2_test_raw
    const ids = Int32Array.from(tokenizer.encode(readFileSync(WIKITEXT, 'utf8')))
    expect(ids.length).toBe(tokens)
    expect(createHash('sha256').update(new Uint8Array(ids.buffer)).digest('hex')).toBe(sha256_of_int32_le)
  })

  describe.skipIf(native.missing !== null)('computes in exact f32, on the native kernels', () => {
    let kernels: Kernels
    let model: Model
    beforeAll(async () => {
      kernels = await native.make({ exact: true })
      model = await loadModel(opened, kernels, { cacheType: 'f32' })
    }, 120_000)
    afterAll(() => {
      model.dispose()
      kernels.dispose()
    })

    it('the last eight rows of a prompt', async () => {
      const tensors = readSafetensors(`${FOLDER}expected.safetensors`)
      const ids = [...tensors.get('logits.2.input_ids')!.data]
      const want = tensors.get('logits.2.last8')!
      const cache = model.sequence(ids.length)
      const prompt = { start: 0, end: ids.length }
      await model.forward([{ tokens: ids.slice(0, -8), cache, prompt, logits: 'last' }])
      const logits = await model.forward([{ tokens: ids.slice(-8), cache, prompt, logits: 'all' }])
      expect(difference(await kernels.memory.read(logits), want.data, () => 2e-4, want.shape)).toBe(null)
      cache.dispose()
    })

    it(`all greedy continuations, ${TOKENS} tokens of each`, { timeout: 240_000 }, async () => {
      const { prompts } = expected().greedy
      expect(prompts.length).toBe(5)
      for (const [i, { name, ids, greedy: all }] of prompts.entries()) {
        const greedy = i === 0 ? all : all.slice(0, TOKENS)
        const cache = model.sequence(ids.length + greedy.length)
        let input: StepInput = { tokens: ids, cache, prompt: { start: 0, end: ids.length }, logits: 'last' }
        const got: number[] = []
        while (got.length < greedy.length) {
          const token = argmax((await kernels.memory.read(await model.forward([input]))) as Float32Array)
          got.push(token)
          input = { tokens: [token], cache, prompt: null, logits: 'last' }
        }
        expect(got, name).toEqual(greedy)
        cache.dispose()
      }
    })
  })
})

it.skipIf(here)('SmolLM2-135M-Instruct needs ../shared, which is not here', () => {})
