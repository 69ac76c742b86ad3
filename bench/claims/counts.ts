/** Claims of how much is computed: counted, not timed. */

import { ropeFrequencies } from '../../src/nn/attention/rope.ts'
import { attentionFlops, breakEvenQueries, multipliesPerPair } from '../../src/planning/costs.ts'
import type { LatentShape } from '../../src/planning/index.ts'
import { plan, publishedModel } from '../../src/planning/index.ts'
import { type Claim, decimal, whole } from './claim.ts'

export function countClaims(): Claim[] {
  const [gpt2, r1] = [plan(publishedModel('gpt2')), plan(publishedModel('R1'))]
  const { layers } = publishedModel('V3')
  const latent = layers[0]?.attention as LatentShape
  const { nHeads: H, qLoraRank: Q, kvLoraRank: C, qkNopeHeadDim: N, vHeadDim: V } = latent
  const D = publishedModel('V3').hiddenSize
  const tokens = 2000
  const recomputed = (tokens * (tokens + 1)) / 2
  const [absorbed, expanded] = (['absorbed', 'expanded'] as const).map(path => multipliesPerPair(latent, path)) as [
    number,
    number,
  ]
  const decode = (path: 'absorbed' | 'expanded') => attentionFlops(layers, path, { before: 9999, count: 1 }) / 2
  const thinQk = H * N * ((Q as number) + C)
  const mergedQk = H * (Q as number) * C
  const thinVo = H * V * (C + D)
  const mergedVo = H * C * D
  const { frequencies } = ropeFrequencies({ dim: 4, theta: 10000, interleaved: true, scaling: { kind: 'none' } })
  return [
    {
      name: 'patterns',
      claim: 'GPT-2 small has 144 attention patterns, R1 7,808.',
      verdict: 'holds',
      found: [`${whole(gpt2.attentionPatterns)} = 12 layers × 12 heads; ${whole(r1.attentionPatterns)} = 61 × 128.`],
      command: 'latentkit plan gpt2',
    },
    {
      name: 'first-token-2000-times',
      claim: 'Without a cache, a text of 2,000 tokens computes its first token 2,000 times.',
      verdict: 'holds',
      found: [
        `${whole(recomputed)} passes of a token through the model in place of ${whole(tokens)}: n (n + 1) / 2, ${decimal(recomputed / tokens, 1)} times as many.`,
        `Attention grows with the third power: ${whole((tokens * (tokens + 1) * (tokens + 2)) / 6)} pairs of a query and a key in place of ${whole(recomputed)}.`,
      ],
    },
    {
      name: 'two-paths',
      claim: 'Absorbed, keys and values are never up-projected while decoding, which saves work.',
      verdict: 'holds in part',
      found: [
        `For one token behind 10,000 of V3: ${whole(decode('absorbed') / 1e6)} million multiplications absorbed, ${whole(decode('expanded') / 1e6)} million expanded, since every cached latent would be expanded again: ${decimal(decode('expanded') / decode('absorbed'), 0)} times.`,
        `For a query and a key absorbed attention multiplies ${decimal(absorbed / expanded, 1)} times as much ((512 + 64 + 512) / (128 + 64 + 128)), so that for prompts, whose keys are expanded once for many queries, expanding pays: from ${whole(breakEvenQueries(latent))} queries at once by counting alone.`,
      ],
      command: 'npm run bench -- attention',
    },
    {
      name: 'merged-matrices',
      claim: 'Absorption merges W_Q with W_UK, and W_UV with W_O, into one fixed matrix each.',
      verdict: 'holds in part',
      found: [
        `They can be merged, and it does not pay. Merged per head, W_UQᵀ W_UK has Q × C numbers: ${whole(mergedQk / 1e6)} million in a layer of V3, where W_UQ (its part without rope) and W_UK have ${whole(thinQk / 1e6)} million, ${decimal(mergedQk / thinQk, 1)} times fewer.`,
        `W_UV with W_O: ${whole(mergedVo / 1e6)} million merged, ${whole(thinVo / 1e6)} million as two, ${decimal(mergedVo / thinVo, 1)} times fewer. A decoding step reads and multiplies each of them once.`,
        'So both stay two thin products here, as in DeepSeek’s own code.',
      ],
      command: 'npm run bench -- claims merged-matrices --measure',
    },
    {
      name: 'rope-toy',
      claim: 'RoPE rotates pair 1 by t0 and pair 2 by 2 t0.',
      verdict: 'does not hold',
      found: [
        `Pair i of a token at position m is rotated by m × base^(-2i / d): with d = 4 and base 10,000, by ${[...frequencies].map(f => `${decimal(f, 4)} m`).join(' and ')}. The toy counts pairs as if they were positions.`,
        'Later pairs rotate more slowly, not faster; that is what lets them tell far positions apart.',
      ],
    },
  ]
}
