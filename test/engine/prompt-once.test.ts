/** What is done to a prompt before it runs is done once, whatever else looks at its ids: the disk, a context that rolls. */
import { expect, it, onTestFinished } from 'vitest'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts'
import { randomLatentConfig } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { HostLab } from './host-lab.ts'

const CUTTING = new Set(['encode', 'encodePrompt', 'encodeChat'])
const TALE = 'Once upon a time there was a fox who lived in the wood with three bears and a king.'
const OPTIONS = { temperature: 0, maxTokens: 2 }

/** A host whose tokenizer notes each text that it cuts. */
async function countingLab(): Promise<{ lab: HostLab; cuts: string[] }> {
  const cuts: string[] = []
  const kernels = createReferenceKernels()
  const config = { ...randomLatentConfig(new Rng(11)), num_hidden_layers: 1 }
  const lab = await HostLab.open({ kernels, config, contextLength: 64, cacheDir: tempFolder() })
  const { tokenizer } = lab.parts
  const counting = new Proxy(tokenizer, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (CUTTING.has(String(name))) cuts.push(String(name))
        return value.apply(target, args)
      }
    },
  }) as Tokenizer
  Object.assign(lab.parts, { tokenizer: counting })
  onTestFinished(() => lab.dispose())
  return { lab, cuts }
}

it('cuts a prompt into tokens once, though the disk is asked for its beginning', async () => {
  const { lab, cuts } = await countingLab()
  const session = lab.session()
  await lab.prompt(session, TALE, OPTIONS)
  await lab.prompt(session, ' And then?', OPTIONS)
  expect(cuts).toEqual(['encodePrompt', 'encode'])
})

it('cuts a prompt once where the context rolls to make room for it', async () => {
  const { lab, cuts } = await countingLab()
  const session = lab.session({ rolling: {} })
  let cached = 0
  for (let i = 0; i < 4; i++) {
    const { usage } = await lab.prompt(session, TALE, OPTIONS)
    cached = usage.promptTokens
  }
  expect(cached).toBeLessThanOrEqual(64)
  expect(cuts).toEqual(['encodePrompt', 'encode', 'encode', 'encode'])
})
