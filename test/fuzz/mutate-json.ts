import type { Rng } from '../support/rng.ts'
import { mutate, pick } from './mutate.ts'

const VALUES: readonly unknown[] = [
  ...[0, -0, -1, 1, 2, 3, 7, 8, 16, 63, 64, 65, 127, 128, 255, 256, 1000, 65535, 65536, 2 ** 24, 2 ** 31 - 1, 2 ** 31],
  ...[2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 1e308, -1e308, 5e-324, 1e-12, 0.5, 1.5, -0.5, 3.0000001],
  ...[null, true, false, '', 'x', '1', 'F32', '../x', '__proto__', 'yarn', 'llama3', 'longrope', 'linear', 'dynamic'],
  ...[
    'deepseek_v2',
    'deepseek_v3',
    'deepseek_v4',
    'kimi_k2',
    'llama',
    'gemma3_text',
    'gpt2',
    'silu',
    'gelu',
    'noaux_tc',
  ],
  ...[[], {}, [0], [1, 2], [null], [[]], { type: 'yarn', factor: 4 }, { rope_type: 'llama3' }, Array(300).fill(1)],
]

/** JSON that stays JSON: one to four values of an earlier input changed, removed, moved or added. */
export function mutateJson(rng: Rng, pool: readonly Uint8Array[]): Uint8Array {
  const text = Buffer.from(pick(rng, pool)).toString('utf8')
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch {
    return mutate(rng, pool)
  }
  do {
    root = change(rng, root, 0)
  } while (rng.uniform() < 0.5)
  return Buffer.from(JSON.stringify(root))
}

function change(rng: Rng, value: unknown, depth: number): unknown {
  if (depth < 20 && Array.isArray(value)) return changeList(rng, value, depth)
  if (depth < 20 && typeof value === 'object' && value !== null) return changeObject(rng, value, depth)
  if (typeof value === 'number' && rng.uniform() < 0.6) return nudge(rng, value)
  return pick(rng, VALUES)
}

function changeObject(rng: Rng, value: object, depth: number): unknown {
  const entries = Object.entries(value)
  if (entries.length === 0 || rng.uniform() < 0.03) return pick(rng, VALUES)
  const at = rng.below(entries.length)
  const [key, old] = entries[at] as [string, unknown]
  const dice = rng.uniform()
  if (dice < 0.15) entries.splice(at, 1)
  else if (dice < 0.25) entries[at] = [key, (pick(rng, entries) as [string, unknown])[1]]
  else if (dice < 0.3) entries.push([pick(rng, ['__proto__', 'a', `${key}_`, key.slice(1)]), old])
  else entries[at] = [key, change(rng, old, depth + 1)]
  return Object.fromEntries(entries)
}

function changeList(rng: Rng, value: readonly unknown[], depth: number): unknown {
  if (value.length === 0 || rng.uniform() < 0.1) return pick(rng, VALUES)
  const at = rng.below(value.length)
  const dice = rng.uniform()
  if (dice < 0.2) return value.toSpliced(at, 1)
  if (dice < 0.4) return value.toSpliced(at, 0, value[rng.below(value.length)])
  return value.with(at, change(rng, value[at], depth + 1))
}

function nudge(rng: Rng, value: number): number {
  return pick(rng, [value + 1, value - 1, value * 2, value / 2, -value, value * 1000, value + 0.5, 8 - value])
}
