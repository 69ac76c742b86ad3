import { createHash } from 'node:crypto'
import { PATH_GRID } from '../attention/path.ts'
import type { CacheLayout } from '../cache/layout.ts'
import type { Checkpoint } from '../checkpoint/checkpoint.ts'

/** Of the bytes in a cached block and of the rules that decide them: a change makes older blocks unknown. */
const VERSION = 1
/** Tensors that are looked into, spread over all of them, and the bytes taken from the middle of each. */
const SAMPLES = 2048
const SAMPLE_BYTES = 64

/**
 * Says whose rows these are: config, tokenizer, weights (every tensor's name, type and shape, and bytes out of them),
 * the rows' layout, and the arithmetic. 128 bits, in hexadecimal.
 */
export async function fingerprint(
  { config, tokenizer, tensors }: Pick<Checkpoint, 'config' | 'tokenizer' | 'tensors'>,
  numerics: string,
  { blockTokens, groups }: CacheLayout,
  settings: Readonly<Record<string, unknown>>,
): Promise<string> {
  const hash = createHash('sha256')
  const shapes = [...tensors.values()].map(t => [t.name, t.dtype, t.shape])
  const about = { VERSION, PATH_GRID, numerics, blockTokens, groups, settings, config, tokenizer, shapes }
  hash.update(JSON.stringify(about))
  const step = Math.max(1, Math.ceil(tensors.size / SAMPLES))
  const sampled = [...tensors.values()].filter((_, i) => i % step === 0)
  const samples = await Promise.all(
    sampled.map(({ bytes: { source, offset, length } }) => {
      const count = Math.min(SAMPLE_BYTES, length)
      return source.read(offset + Math.floor((length - count) / 2), count)
    }),
  )
  for (const sample of samples) hash.update(sample)
  return hash.digest('hex').slice(0, 32)
}
