import { expect, it } from 'vitest'
import type { CoreKernels } from '../../src/kernels/core/kernels.ts'
import { createNativeKernels, nativeUnavailable } from '../../src/kernels/core/node/addon.ts'
import { createWasmKernels } from '../../src/kernels/core/node/wasm.ts'
import { Profile } from '../../src/kernels/core/profile.ts'
import { randomModel } from '../support/random-model.ts'

const CONFIG = {
  ...{ model_type: 'llama', vocab_size: 300, hidden_size: 96, intermediate_size: 160, num_hidden_layers: 3 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, head_dim: 24, max_position_embeddings: 64 },
}
const SETS = [
  { name: 'native', missing: nativeUnavailable(), make: createNativeKernels },
  { name: 'wasm', missing: null, make: createWasmKernels },
]

it.for(SETS)(
  'a profile knows every operation that ran, and changes no bit: $name',
  async ({ missing, make }, { skip }) => {
    if (missing) skip(missing)
    const kernels = (await make({ threads: 2 })) as CoreKernels
    const model = await randomModel(kernels, CONFIG, 1)
    const run = async (profile: Profile | null) => {
      kernels.memory.profile = profile
      const cache = model.sequence()
      const bits: number[] = []
      // The third step repeats the second one's list.
      for (const token of [5, 6, 7]) {
        const logits = await model.forward([{ tokens: [token], cache, prompt: null, logits: 'last' }])
        bits.push(...(await kernels.memory.read(logits)))
      }
      cache.dispose()
      return bits
    }
    const without = await run(null)
    const profile = new Profile()
    const began = performance.now()
    expect(await run(profile)).toEqual(without)
    const wall = (performance.now() - began) / 1000
    const rows = profile.rows()
    const counts = (operation: string) => rows.filter(r => r.operation === operation).map(r => [r.work, r.count])
    expect(counts('attention').reduce((n, [, count]) => n + Number(count), 0)).toBe(3 * CONFIG.num_hidden_layers)
    expect(counts('matmul').sort()).toContainEqual([CONFIG.vocab_size * CONFIG.hidden_size, 3])
    // The clock of a page has steps of 5 us and more, Node's has not.
    expect(rows.every(r => r.seconds > 0)).toBe(true)
    expect(rows.map(r => r.seconds)).toEqual(rows.map(r => r.seconds).sort((a, b) => b - a))
    expect(rows.reduce((sum, r) => sum + r.seconds, 0)).toBeLessThan(wall)
    kernels.memory.profile = null
    await run(null)
    expect(profile.rows()).toEqual(rows)
    model.dispose()
    kernels.dispose()
  },
)
