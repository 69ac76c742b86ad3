/** The bundled model and what it is known to write. */
import { readFileSync } from 'node:fs'
import { Engine, type LoadOptions } from '../../src/index.ts'
import { KERNEL_SETS, type KernelSet } from '../support/kernel-sets.ts'
import { readSafetensors } from '../support/safetensors.ts'

export const TALES = 'models/tales-mla-8m'

export interface ExpectedText {
  readonly text: string
  readonly greedyText: string
  readonly greedy: readonly number[]
}

/** Three prompts with 128 greedy tokens each; eos ignored, cache f32. */
export function expectedTexts(): ExpectedText[] {
  const { prompts } = JSON.parse(readFileSync(`${TALES}/expected.json`, 'utf8')) as {
    prompts: { text: string; greedy_text: string }[]
  }
  const tensors = readSafetensors(`${TALES}/expected.safetensors`)
  return prompts.map(({ text, greedy_text }, i) => {
    return { text, greedyText: greedy_text, greedy: [...(tensors.get(`${i}.greedy`)?.data ?? [])].map(Number) }
  })
}

/** In this thread, with one compute thread, on the best kernels there are unless told otherwise. */
export function loadTales(options: LoadOptions = {}): Promise<Engine> {
  return Engine.load(TALES, { inline: true, threads: 1, ...options })
}

/** Kernel sets that are fast enough for whole texts. */
export const FAST_KERNELS: readonly KernelSet[] = KERNEL_SETS.filter(({ name }) => name !== 'reference')

/** Each message on a line of its own; content as it is, so that an answer can be put back unchanged. */
export const PLAIN_TEMPLATE =
  '{% for m in messages %}{{ m.role }}:{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}'

/** Each message between marks of its own, as families write them. */
export const CHAT_TEMPLATE =
  '{% for m in messages %}<{{ m.role }}> {{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<assistant> {% endif %}'
