/** Sets that share their numerics (`INFERS_AS` in `src/kernels/core/kernels.ts`) compute the same bits: AMX's integer products those of AVX-512. */
import { describe, expect, it } from 'vitest'
import { loadInNode } from '../../src/engine/host/node/platform.ts'
import { createNativeKernels } from '../../src/kernels/core/node/addon.ts'

const problem = await createNativeKernels({ threads: 1, isa: 'amx' }).then(
  kernels => kernels.dispose(),
  (error: Error) => error.message,
)

/** Logits behind 53 tokens: three whole tiles and a part of one. */
async function logits(isa: string, weights: 'q8_0' | 'q4_k' | 'q6_k' | 'q5_1') {
  const context = { report() {}, signal: new AbortController().signal }
  const { model, kernels } = await loadInNode('models/tales-mla-8m', { threads: 2, isa, weights }, context)
  try {
    const tokens = Array.from({ length: 53 }, (_, i) => 5 + ((i * 7919) % 4000))
    const input = { tokens, cache: model.sequence(64), prompt: { start: 0, end: 53 }, logits: 'last' as const }
    return { numerics: kernels.info.numerics, rows: (await kernels.memory.read(await model.forward([input]))).slice() }
  } finally {
    model.dispose()
    kernels.dispose()
  }
}

describe.skipIf(problem)(`amx and avx512bf16 ${problem ?? ''}`, () => {
  it.each(['q8_0', 'q4_k', 'q6_k', 'q5_1'] as const)('weights in %s', async weights => {
    expect(await logits('amx', weights)).toEqual(await logits('avx512bf16', weights))
  })
})
