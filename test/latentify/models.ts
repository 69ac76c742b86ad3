/** Models that tests convert: the fixtures, and random ones of other sizes, written as folders. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepareFolder } from '../../src/conversion/hub/convert.ts'
import { readSourceModel } from '../../src/conversion/source-model.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { loadModel } from '../../src/model/load.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { modelOf } from '../../src/model/open/opened-model.ts'
import { RandomCheckpoint } from '../support/random-model.ts'
import { tempFolder } from '../support/temp-folder.ts'

const SHARED = process.env.LATENTKIT_FIXTURES ?? fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url))

/** The folder of a fixture; undefined where it is not here. */
export function fixture(name: string): string | undefined {
  const folder = join(SHARED, 'checkpoints', name)
  return existsSync(join(folder, 'config.json')) ? folder : undefined
}

/** A small Llama, with these fields of its own. */
export function llama(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    model_type: 'llama',
    vocab_size: 50,
    hidden_size: 24,
    intermediate_size: 40,
    num_hidden_layers: 2,
    num_attention_heads: 6,
    num_key_value_heads: 2,
    head_dim: 8,
    max_position_embeddings: 128,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    tie_word_embeddings: false,
    ...fields,
  }
}

export async function randomFolder(config: Readonly<Record<string, unknown>>, seed = 1): Promise<string> {
  const folder = join(tempFolder(), 'model')
  const model = modelOf(new RandomCheckpoint(config, seed))
  await prepareFolder(await readSourceModel(model), {}).write(folder, { signal: undefined })
  return folder
}

/** Logits of all tokens, [T, vocab]; the cache is f32. */
export async function logitsOf(path: string, tokens: readonly number[], kernels: Kernels): Promise<Float32Array> {
  const model = await loadModel(await openModel(path), kernels, { cacheType: 'f32' })
  const cache = model.sequence(tokens.length)
  try {
    const input = { tokens, cache, prompt: { start: 0, end: tokens.length }, logits: 'all' } as const
    return (await kernels.memory.read(await model.forward([input]))) as Float32Array
  } finally {
    cache.dispose()
    model.dispose()
  }
}

export function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = a.length === b.length ? 0 : Number.POSITIVE_INFINITY
  for (let i = 0; i < a.length; i++) {
    const off = Math.abs((a[i] as number) - (b[i] as number))
    most = off >= 0 ? Math.max(most, off) : Number.POSITIVE_INFINITY
  }
  return most
}
