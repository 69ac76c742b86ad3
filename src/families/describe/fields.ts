/** Fields whose names differ between families. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'

/** No published model comes near; beyond it, a size is an accident. */
export const SIZE = { min: 1, max: 1 << 24 } as const
export const COUNT = { min: 1, max: 1 << 16 } as const

export const HIDDEN = ['hidden_size', 'n_embd', 'd_model']
export const HEADS = ['num_attention_heads', 'n_head', 'num_heads']

/** The first of these names that the file has. */
export function first(raw: ConfigReader, keys: readonly string[]): string | undefined {
  return keys.find(key => raw.has(key))
}

export function firstInt(raw: ConfigReader, keys: readonly string[], range: { min: number; max: number }): number {
  return raw.int(first(raw, keys) ?? (keys[0] as string), range)
}

export function optionalFirstInt(
  raw: ConfigReader,
  keys: readonly string[],
  range: { min: number; max: number },
): number | undefined {
  const key = first(raw, keys)
  return key ? raw.int(key, range) : undefined
}

/** Files of LongCat may have no `model_type`. */
const UNNAMED: Readonly<Record<string, string>> = { LongcatFlashForCausalLM: 'longcat_flash' }

/** The `model_type` by what the file says of `architectures`; undefined: it does not tell. */
export function typeByArchitecture(architectures: unknown): string | undefined {
  const [name]: readonly unknown[] = Array.isArray(architectures) ? architectures : []
  return typeof name === 'string' && Object.hasOwn(UNNAMED, name) ? UNNAMED[name] : undefined
}
