import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AttentionShape, LatentShape } from '../../src/families/descriptor.ts'
import { cacheKinds, sequenceBytes } from '../../src/planning/cache-bytes.ts'
import { cacheFormat } from '../../src/planning/cache-format.ts'
import { attentionFlops, breakEvenAt, breakEvenQueries, seenPairs } from '../../src/planning/costs.ts'
import { plan } from '../../src/planning/plan.ts'
import type { LayerKind, PlanModel } from '../../src/planning/plan-model.ts'
import { published, publishedModel } from '../../src/planning/published/index.ts'
import { weightParts } from '../../src/planning/weight-parts.ts'
import { countWeights, expectedExperts } from '../../src/planning/weights.ts'
import { whatIf } from '../../src/planning/what-if.ts'

const size = (max: number) => fc.integer({ min: 1, max })
const grouped: fc.Arbitrary<AttentionShape> = fc
  .record({ kv: size(16), share: size(8), keyDim: size(256), valueDim: size(256) })
  .map(({ kv, share, keyDim, valueDim }) => ({ kind: 'grouped', nHeads: kv * share, nKvHeads: kv, keyDim, valueDim }))
const latent: fc.Arbitrary<LatentShape> = fc.record({
  kind: fc.constant('latent' as const),
  nHeads: size(128),
  qLoraRank: fc.option(size(2048)),
  kvLoraRank: size(1024),
  qkRopeHeadDim: size(128),
  qkNopeHeadDim: size(256),
  vHeadDim: size(256),
})
const mlp: fc.Arbitrary<LayerKind['mlp']> = fc.oneof(
  fc.record({ kind: fc.constant('dense' as const), size: size(4096) }),
  fc
    .record({ nExperts: size(64), expertSize: size(512), sharedSize: fc.nat(512), selectionBias: fc.boolean() })
    .chain(m => size(m.nExperts).map(topK => ({ kind: 'moe' as const, topK, ...m }))),
)
const layer: fc.Arbitrary<LayerKind> = fc.record({
  count: size(40),
  attention: fc.oneof(grouped, latent),
  window: fc.option(size(5000)),
  indexer: fc.option(fc.record({ nHeads: size(64), headDim: size(128), topK: size(4096) }), { freq: 4 }),
  mlp,
})
const model: fc.Arbitrary<PlanModel> = fc
  .record({
    hiddenSize: size(4096),
    vocabSize: size(100_000),
    layers: fc.array(layer, { minLength: 1, maxLength: 4 }),
    tied: fc.boolean(),
    bias: fc.boolean(),
  })
  .map(m => ({
    ...publishedModel('Llama-3-8B'),
    hiddenSize: m.hiddenSize,
    vocabSize: m.vocabSize,
    layers: m.layers,
    tiedEmbeddings: m.tied,
    bias: { qkv: m.bias, attentionOut: m.bias, mlp: m.bias, router: false, output: m.bias },
  }))
const plain = fc.constantFrom('f32', 'f16', 'bf16', 'fp8')
const tokens = size(20_000)

describe('whatever the model', () => {
  it('the cache never shrinks when context, batch or layers grow', () => {
    fc.assert(
      fc.property(
        model,
        plain,
        tokens,
        fc.nat(3000),
        size(64),
        size(64),
        size(16),
        (m, dtype, context, more, block, batch, extra) => {
          const bytes = (o: { context: number; batch: number }, of = m) =>
            plan(of, { ...o, dtype, blockTokens: block }).cache.bytes
          const base = bytes({ context, batch })
          expect(bytes({ context: context + more, batch })).toBeGreaterThanOrEqual(base)
          expect(bytes({ context, batch: batch + extra })).toBeGreaterThan(base)
          const [first, ...rest] = m.layers as [LayerKind, ...LayerKind[]]
          const deeper = { ...m, layers: [{ ...first, count: first.count + extra }, ...rest] }
          expect(bytes({ context, batch }, deeper)).toBeGreaterThan(base)
          expect(countWeights(deeper, { draft: false }).parameters).toBeGreaterThan(
            countWeights(m, { draft: false }).parameters,
          )
        },
      ),
    )
  })

  it('kinds of layers add up to the whole: bytes per token, per sequence, parameters', () => {
    fc.assert(
      fc.property(model, plain, tokens, (m, dtype, context) => {
        const { cache } = plan(m, { dtype, context })
        const each = m.layers.map(l => plan({ ...m, layers: [l] }, { dtype, context }).cache)
        const sum = (of: (c: typeof cache) => number) => each.reduce((n, c) => n + of(c), 0)
        expect(sum(c => c.bytesPerToken)).toBe(cache.bytesPerToken)
        expect(sum(c => c.bytesPerSequence)).toBe(cache.bytesPerSequence)
        expect(cache.kinds.reduce((n, k) => n + k.segments.reduce((b, s) => b + s.bytes, 0) * k.layers, 0)).toBe(
          cache.bytesPerToken,
        )
        const parts = weightParts(m, { draft: false })
        expect(parts.reduce((n, p) => n + p.rows * p.cols * p.count, 0)).toBe(
          countWeights(m, { draft: false }).parameters,
        )
      }),
    )
  })

  it('MLA = L (C + R) b; expanded = L H (N + R + V) b; MHA, GQA, MQA = 2 L n d b', () => {
    fc.assert(
      fc.property(latent, size(100), fc.constantFrom(['f32', 4], ['bf16', 2], ['fp8', 1]), (a, L, [dtype, b]) => {
        const m: PlanModel = {
          ...publishedModel('V3'),
          layers: [{ count: L, attention: a, window: null, indexer: null, mlp: { kind: 'dense', size: 8 } }],
        }
        const { nHeads: H, kvLoraRank: C, qkRopeHeadDim: R, qkNopeHeadDim: N, vHeadDim: V } = a
        const bytes = (other: PlanModel) => plan(other, { dtype: String(dtype) }).cache.bytesPerToken
        expect(bytes(m)).toBe(L * (C + R) * Number(b))
        expect(bytes(whatIf(m, 'expanded').model)).toBe(L * H * (N + R + V) * Number(b))
        expect(bytes(whatIf(m, 'mha').model)).toBe(2 * L * H * V * Number(b))
        expect(bytes(whatIf(m, 'mqa').model)).toBe(2 * L * V * Number(b))
        for (const n of [2, 4, 8])
          if (H % n === 0) expect(bytes(whatIf(m, `gqa${n}`).model)).toBe(2 * L * n * V * Number(b))
        expect(bytes(whatIf(m, `mla${C + 1}`).model)).toBe(L * (C + 1 + R) * Number(b))
      }),
    )
  })

  it('the largest context and batch fit, and one more does not', () => {
    fc.assert(
      fc.property(
        model,
        fc.integer({ min: 1e6, max: 1e12 }),
        size(100),
        size(64),
        (m, memoryBytes, batch, blockTokens) => {
          const context = 1000
          const p = plan(m, { context, batch, blockTokens, memoryBytes })
          if (p.memory === null) throw new Error('no memory plan')
          const kinds = cacheKinds(m.layers, cacheFormat('bf16'))
          const takes = (n: number, users: number) => users * sequenceBytes(kinds, n, blockTokens)
          for (const [room, longest, most] of [
            [memoryBytes, p.memory.largestContextAlone, p.memory.largestBatchAlone],
            [memoryBytes - p.weights.bytes, p.memory.largestContext, p.memory.largestBatch],
          ] as const) {
            if (room < 0) {
              expect([longest, most]).toEqual([0, 0])
              continue
            }
            if (Number.isFinite(longest) && longest < 2 ** 40) {
              expect(takes(longest, batch)).toBeLessThanOrEqual(room)
              expect(takes(longest + 1, batch)).toBeGreaterThan(room)
            }
            expect(takes(context, most)).toBeLessThanOrEqual(room)
            expect(takes(context, most + 1)).toBeGreaterThan(room)
          }
          expect(p.memory.fits).toBe(p.weights.bytes + p.cache.bytes <= memoryBytes)
        },
      ),
    )
  })

  it('pairs and experts in closed form are what counting gives', () => {
    fc.assert(
      fc.property(fc.nat(300), size(300), size(400), (before, count, window) => {
        let pairs = 0
        for (let i = 0; i < count; i++) pairs += Math.min(before + i + 1, window)
        expect(seenPairs({ before, count }, window)).toBe(pairs)
      }),
    )
    fc.assert(
      fc.property(size(300), size(50), (of, batch) => {
        const take = Math.ceil(of / 7)
        const expected = expectedExperts(of, take, batch)
        expect(expected).toBeGreaterThanOrEqual(take - 1e-9)
        expect(expected).toBeLessThanOrEqual(Math.min(of, batch * take) + 1e-9)
      }),
    )
  })

  it('the break-even is where both paths cost the same', () => {
    fc.assert(
      fc.property(latent, fc.integer({ min: 1000, max: 1e6 }), (a, keys) => {
        const at = breakEvenAt(a, keys)
        fc.pre(Number.isFinite(at))
        // Per key seen by all queries of a chunk, as the formula has it.
        const { nHeads: H, kvLoraRank: C, qkRopeHeadDim: R, qkNopeHeadDim: N, vHeadDim: V } = a
        const absorbed = at * keys * H * (2 * C + R) + at * H * (N + V) * C
        const expanded = at * keys * H * (N + R + V) + keys * H * (N + V) * C
        expect(absorbed / expanded).toBeCloseTo(1, 9)
        if (2 * C > N + V) expect(breakEvenQueries(a)).toBeGreaterThanOrEqual(at)
      }),
    )
  })

  it('ranks share out: every rank has at most all and at least its part', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('R1', 'Llama-3-70B', 'Mixtral-8x7B', 'Qwen3-8B', 'V3.2', 'gpt-oss-120b'),
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 0, max: 3 }),
        fc.boolean(),
        (name, t, d, expertParallel) => {
          const [tensorParallel, dataParallel] = [2 ** t, 2 ** d]
          const one = plan(publishedModel(name), { context: 4096, batch: 16 })
          const p = plan(publishedModel(name), {
            context: 4096,
            batch: 16,
            tensorParallel,
            dataParallel,
            expertParallel,
          })
          const total = tensorParallel * dataParallel
          expect(p.perRank.weightBytes).toBeLessThanOrEqual(one.weights.bytes)
          expect(p.perRank.weightBytes * total).toBeGreaterThanOrEqual(one.weights.bytes)
          expect(p.perRank.cacheBytes * total).toBeGreaterThanOrEqual(one.cache.bytes)
          expect(p.perRank.cacheBytes * dataParallel).toBeLessThanOrEqual(one.cache.bytes)
          const flops = (of: typeof p) => of.decode.work.linearFlops + of.decode.work.attentionFlops
          expect(flops(p) * total).toBeGreaterThanOrEqual(flops(one) * 0.999999)
        },
      ),
    )
  })

  it('absorbed and expanded cost what their formulas say, for every published MLA', () => {
    for (const { hub } of published()) {
      const m = publishedModel(hub)
      const a = m.layers[0]?.attention
      if (a?.kind !== 'latent' || m.layers[0]?.indexer) continue
      const { nHeads: H, kvLoraRank: C, qkRopeHeadDim: R, qkNopeHeadDim: N, vHeadDim: V } = a
      const L = m.layers.reduce((n, l) => n + l.count, 0)
      const [T, P] = [100, 900]
      const pairs = T * P + (T * (T + 1)) / 2
      expect(attentionFlops(m.layers, 'absorbed', { before: P, count: T })).toBe(
        2 * L * H * (pairs * (2 * C + R) + T * (N + V) * C),
      )
      expect(attentionFlops(m.layers, 'expanded', { before: P, count: T })).toBe(
        2 * L * H * (pairs * (N + R + V) + (P + T) * (N + V) * C),
      )
    }
  })
})
