/** test/fixtures/lora: models of transformers with adapters of PEFT (test/interop/make_lora.py). */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Adapter } from '../../src/adapter/adapter.ts'
import { openPeft } from '../../src/adapter/peft-files.ts'
import { folderFiles } from '../../src/checkpoint/find/folder.ts'
import { readRows } from '../../src/checkpoint/recode/weight-rows.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { Adapters } from '../../src/model/load/loader.ts'
import { loadModel } from '../../src/model/load.ts'
import { Model } from '../../src/model/model.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import type { OpenedModel } from '../../src/model/open/opened-model.ts'
import type { Trainer } from '../../src/training/trainer.ts'
import { readSafetensors } from '../support/safetensors.ts'

export const NAMES = ['llama', 'deepseek_v3'] as const
export const folderOf = (name: string) => fileURLToPath(new URL(`../fixtures/lora/${name}`, import.meta.url))

export interface Expected {
  readonly tokens: number[]
  readonly prompt: number[]
  readonly chosen: number[]
  readonly rejected: number[]
}

export async function fixture(name: string) {
  const folder = folderOf(name)
  return {
    base: await openModel(`${folder}/base`),
    adapter: await openPeft(await folderFiles(`${folder}/adapter`)),
    ids: JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) as Expected,
    expected: readSafetensors(`${folder}/expected.safetensors`),
  }
}

/** As a trainer takes them up. */
export async function valuesOf({ modules }: Adapter): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>()
  for (const { module, down, up } of modules) {
    values.set(`values ${module}.lora_A.weight`, await readRows(down, 0, down.rows))
    values.set(`values ${module}.lora_B.weight`, await readRows(up, 0, up.rows))
  }
  return values
}

/** Logits of all tokens; with a trainer, of its weights. */
export async function logitsOf(
  opened: OpenedModel,
  kernels: Kernels,
  tokens: number[],
  { adapters, path, trainer }: { adapters?: Adapters; path?: 'expanded' | 'absorbed'; trainer?: Trainer } = {},
): Promise<Float32Array> {
  const model = trainer
    ? new Model(opened.config, trainer.decoder.weights, kernels, { cacheType: 'f32' })
    : await loadModel(opened, kernels, { cacheType: 'f32', ...(adapters && { adapters }) })
  const cache = model.sequence()
  const prompt = { start: 0, end: tokens.length }
  const logits = await kernels.memory.read(
    await model.forward([{ tokens, cache, prompt, logits: 'all', ...(path && { path }) }]),
  )
  cache.dispose()
  return Float32Array.from(logits as Float32Array)
}
