/** Claims of bytes. What a cache takes is read off the engine's own blocks, as they are allocated for these shapes. */
import { BlockPool } from '../../src/cache/pool.ts'
import { SequenceCache } from '../../src/cache/sequence-cache.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import type { AttentionConfig } from '../../src/nn/attention/config.ts'
import { modelCacheLayout } from '../../src/nn/cache-layout.ts'
import { type Plan, plan, publishedModel } from '../../src/planning/index.ts'
import { type Claim, decimal, gigabytes, percent, whole } from './claim.ts'

/** Tokens whose rows are allocated: one block of the engine's. */
const TOKENS = 64

/** Bytes per token of the buffers that the engine allocates for layers of this attention, numbers of 16 bits. */
function allocated(layers: number, attention: AttentionConfig): number {
  const kernels = createReferenceKernels()
  const layout = modelCacheLayout(
    Array.from({ length: layers }, () => ({ attention, window: null })),
    'bf16',
    TOKENS,
  )
  const pool = new BlockPool(kernels, layout)
  const cache = new SequenceCache(kernels, pool, TOKENS)
  const before = kernels.memory.allocatedBytes
  cache.reserve(TOKENS)
  const bytes = kernels.memory.allocatedBytes - before
  if (bytes !== pool.allocatedBytes) throw new Error(`${bytes} bytes were allocated, ${pool.allocatedBytes} are held`)
  cache.dispose()
  pool.dispose()
  kernels.dispose()
  return bytes / TOKENS
}

function grouped(nHeads: number, nKvHeads: number, headDim: number): AttentionConfig {
  return { kind: 'grouped', nHeads, nKvHeads, headDim, softmaxScale: headDim ** -0.5, qkNormEps: null }
}

/** DeepSeek-V3's and R1's. */
const V3: AttentionConfig = {
  kind: 'latent',
  nHeads: 128,
  qLoraRank: 1536,
  kvLoraRank: 512,
  qkNopeHeadDim: 128,
  qkRopeHeadDim: 64,
  vHeadDim: 128,
  softmaxScale: 192 ** -0.5,
  latentNormEps: 1e-6,
}

const planned = (name: string, context: number, compare: readonly string[] = []): Plan =>
  plan(publishedModel(name), { context, compare })

export function memoryClaims(): Claim[] {
  const mla = allocated(61, V3)
  const mha = allocated(61, grouped(128, 128, 128))
  const example = planned('Llama-2-7B', 8192)
  const v2 = planned('V2', 100_000, ['mha'])
  const r1 = planned('R1', 100_000, ['mha'])
  const mhaOf = (p: Plan) => p.compare[0]?.bytes as number
  const rows = [
    ['MHA', mha],
    ['GQA-8', allocated(61, grouped(128, 8, 128))],
    ['MQA', allocated(61, grouped(128, 1, 128))],
    ['MLA', mla],
    ['MLA, cached expanded (192 + 128 per head)', planned('V3', 1, ['expanded']).compare[0]?.bytesPerToken as number],
  ] as const
  const values = 2 * 32 * 32 * 128 * 8192
  return [
    {
      name: 'one-layer',
      claim: 'A cache of 32 layers with 32 heads of 128 for 8,192 tokens has "67 million values, 134 MB".',
      verdict: 'does not hold',
      found: [
        `${whole(values)} values, ${gigabytes(example.cache.bytes)} in 16 bits: 2 × 32 layers × 32 heads × 128 × 8,192.`,
        `${whole(values / 32)} values, ${gigabytes(example.cache.bytes / 32)}, are the share of one layer: the layers were left out.`,
      ],
      command: 'latentkit plan Llama-2-7B --context 8192',
    },
    {
      name: '57-times',
      claim: 'MLA caches 57 times less than MHA: 70 KB a token in place of 4 MB.',
      verdict: 'holds',
      found: [
        `${decimal(mha / mla)} times for the shapes of V3 and R1: ${whole(mha)} B against ${whole(mla)} B a token, of the buffers that this engine allocates for ${TOKENS} tokens.`,
        `The rope key counts: (2 × 128 × 128) / (512 + 64) = ${decimal((2 * 128 * 128) / 576)}; with the latent alone it would be ${decimal((2 * 128 * 128) / 512)}.`,
        'It is against MHA with as many heads, which no model of that size has: against GQA with 8 groups it is ' +
          `${decimal((rows[1][1] as number) / mla)} times, and MQA caches less than MLA.`,
      ],
      table: [
        ['attention', 'bytes per token', 'times MLA'],
        ...rows.map(([name, bytes]) => [name, whole(bytes), decimal(bytes / mla, 3)]),
      ],
      command: 'latentkit plan R1 --compare mha,gqa8,mqa,expanded',
    },
    {
      name: '400-to-6',
      claim: "V2's cache of 100,000 tokens falls from 400 GB to around 6 GB.",
      verdict: 'holds in part',
      found: [
        `V2 (60 layers): ${gigabytes(mhaOf(v2))} to ${gigabytes(v2.cache.bytes)}, which is ${decimal(v2.cache.bytes / 2 ** 30)} GiB.`,
        `R1 (61 layers): ${gigabytes(mhaOf(r1))} to ${gigabytes(r1.cache.bytes)}, ${decimal(r1.cache.bytes / 2 ** 30)} GiB. The 400 are powers of ten, the 6 is powers of two rounded down.`,
      ],
      command: 'latentkit plan V2 --context 100000 --compare mha',
    },
    {
      name: '576-wide',
      claim: 'The latent is, for example, 576 numbers wide.',
      verdict: 'holds in part',
      found: [
        `${whole(mla / 61 / 2)} numbers are cached per token and layer: 512 of the latent, and 64 of the rope key, which is no part of it.`,
      ],
      command: 'latentkit plan V3',
    },
    {
      name: 'equal-groups',
      claim: 'MLA caches as much as GQA with 2.25 groups.',
      verdict: 'holds',
      found: [`(512 + 64) / (2 × 128) = ${decimal(r1.equivalentGroups?.groups as number)}.`],
      command: 'latentkit plan R1',
    },
    {
      name: 'mqa-100',
      claim: 'MQA makes the cache up to 100 times smaller.',
      verdict: 'holds in part',
      found: [
        `It is as many times smaller as there are heads: ${whole((rows[0][1] as number) / (rows[2][1] as number))} for 128 heads, 71 for Falcon-7B, 32 for Llama-2-7B's.`,
      ],
      command: 'latentkit plan V3 --compare mha,mqa',
    },
    {
      name: 'gqa-2dg',
      claim: 'GQA caches 2 × d × G.',
      verdict: 'holds',
      found: [
        `Per token and layer, numbers: ${whole(planned('Llama-3-8B', 1).cache.elementsPerLayer as number)} for Llama-3-8B (d 128, G 8). In bytes it is times the layers and the bytes of a number: ` +
          `${whole(planned('Llama-3-8B', 1).cache.bytesPerToken)} B.`,
      ],
      command: 'latentkit plan Llama-3-8B',
    },
    {
      name: 'hidden-times-heads',
      claim: 'The cache grows with the hidden size times the number of heads.',
      verdict: 'does not hold',
      found: [
        'It grows with layers × key-value heads × the size of a head. Heads times their size is about the hidden size, so that heads are counted twice, and layers are missing.',
        `Twice the heads of half the size cache the same: ${whole(allocated(32, grouped(32, 32, 128)))} B a token for 32 heads of 128, ${whole(allocated(32, grouped(64, 64, 64)))} B for 64 of 64.`,
      ],
    },
    {
      name: 'wuk-not-stored',
      claim: 'Absorption saves memory, since W_UK "is not stored in the cache".',
      verdict: 'does not hold',
      found: [
        'No weight ever is. What is not stored are the keys that W_UK would make: ' +
          `${whole(rows[4][1])} B a token in place of ${whole(mla)} B.`,
      ],
      command: 'latentkit plan V3 --compare expanded',
    },
    {
      name: 'tables-8-and-9',
      claim: "V2's paper: MHA is ahead of GQA and MQA at 7B, and MLA ahead of MHA at 4 to 14 % of its cache.",
      verdict: 'holds',
      found: [
        `As published (tables 8 and 9): ${percent(15.6 / 110.6)} of the numbers for the small model with experts, ${percent(34.6 / 860.2)} for the large one. ` +
          'Models of that size were not trained here.',
      ],
    },
  ]
}
