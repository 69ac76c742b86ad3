/** Sets that share their numerics (`INFERS_AS` in `src/kernels/core/kernels.ts`) compute the same bits: AMX's integer products those of AVX-512. */
import { describe, expect, it } from 'vitest'
import { loadInNode } from '../../src/engine/host/node/platform.ts'
import { createNativeKernels } from '../../src/kernels/core/node/addon.ts'
import { familyFolders } from '../support/all-fixtures.ts'

const EXPERTS = new Map(familyFolders()).get('qwen3-moe')

const problem = await createNativeKernels({ threads: 1, isa: 'amx' }).then(
  kernels => kernels.dispose(),
  (error: Error) => error.message,
)

/** Logits behind 53 tokens: three whole tiles and a part of one. */
async function logits(
  isa: string,
  weights: 'q8_0' | 'q4_k' | 'q6_k' | 'q5_1',
  path = 'models/tales-mla-8m',
  count = 53,
) {
  const context = { report() {}, signal: new AbortController().signal }
  const { model, kernels } = await loadInNode(path, { threads: 2, isa, weights }, context)
  try {
    const tokens = Array.from({ length: count }, (_, i) => 5 + ((i * 7919) % (model.config.vocabSize - 50)))
    const input = { tokens, cache: model.sequence(count), prompt: { start: 0, end: count }, logits: 'last' as const }
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

  it.skipIf(!EXPERTS)('experts, whose rows lie anywhere', async () => {
    const of = (isa: string) => logits(isa, 'q8_0', EXPERTS, 300)
    expect(await of('amx')).toEqual(await of('avx512bf16'))
  })
})
