/**
 * A model whose layers attend in different ways, some with latents and some with heads of their own, of different sizes, two
 * kinds in each cache group: held to the formulas, and to what must not matter.
 */
import { describe, expect, it } from 'vitest'
import { PrefixTree } from '../../src/cache/prefix-tree.ts'
import type { FilledBlock } from '../../src/cache/sequence-cache.ts'
import { blockName, decodeBlock, encodeBlock } from '../../src/cache/stored/block-file.ts'
import type { CacheTypeName } from '../../src/cache/types.ts'
import { loadModel } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import type { StepInput } from '../../src/nn/step.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { Rng } from '../support/rng.ts'
import { ALL_KINDS, MIXED, mixedModel } from './mixed-model.ts'
import { plainLogits } from './plain-decoder.ts'

const rng = new Rng('mixed')
/** More than a cell of the path grid, several blocks, and several windows. */
const TOKENS = Array.from({ length: 150 }, () => rng.below(MIXED.vocabSize))
const BLOCK = 16

const expected = plainLogits(mixedModel().checkpoint, MIXED, TOKENS)

for (const set of KERNEL_SETS) {
  describe.skipIf(set.missing !== null)(`layers of different attention on ${set.name} kernels`, () => {
    const withModel = async (
      cacheType: CacheTypeName,
      run: (model: Model) => Promise<void>,
      threads = 1,
      config = MIXED,
    ) => {
      const kernels = await set.make({ threads })
      try {
        const model = await loadModel(mixedModel(config), kernels, { cacheType, blockTokens: BLOCK })
        await run(model)
        model.dispose()
      } finally {
        kernels.dispose()
      }
    }

    it.each(['expanded', 'absorbed', undefined] as const)('are what the formulas say (%s)', path =>
      withModel('f32', async model => {
        const input = { ...whole(model, TOKENS), logits: 'all', ...(path && { path }) } as const
        const logits = await read(model, [input])
        const want = (await expected).flat()
        const worst = Math.max(
          ...logits.map((v, i) => Math.abs(v - (want[i] as number)) / (1 + Math.abs(want[i] as number))),
        )
        expect(worst).toBeLessThan(5e-5)
      }),
    )

    it.each(['f32', 'f16', 'bf16', 'f16/f32'] as const)('chunks and batches do not matter (%s)', cacheType =>
      withModel(cacheType, chunksDoNotMatter, 2),
    )

    it('chunks and batches do not matter beside states and queries that choose their keys', () =>
      withModel('f32', chunksDoNotMatter, 2, ALL_KINDS))

    it('rows of others and from disk do not matter', () =>
      withModel('f16', async model => {
        const first = whole(model, TOKENS)
        const alone = await read(model, [first])
        const tree = new PrefixTree(model.pool)
        let parent: Parameters<PrefixTree['publish']>[0] = null
        const full = Math.floor(TOKENS.length / BLOCK)
        const stored: FilledBlock[] = []
        for (let n = 0; n < full; n++) {
          const block = first.cache.filledBlock(n)
          parent = tree.publish(parent, block)
          stored.push(await throughFile(model, block))
        }
        // The first two blocks have left the window of a group, as they have when a prompt reads them.
        const match = tree.longest(TOKENS, () => true)
        expect(match.rows).toBe(full * BLOCK)
        const rest = async (blocks: readonly FilledBlock[]) => {
          const cache = model.sequence(400)
          cache.adopt(0, blocks, tree.usableRows(match, full * BLOCK))
          const tokens = TOKENS.slice(cache.length)
          return read(model, [{ tokens, cache, prompt: { start: 0, end: 150 }, logits: 'last' }])
        }
        expect(await rest(match.nodes)).toEqual(alone)
        expect(await rest(stored)).toEqual(alone)
      }))

    it('rows that move by nothing stay as they are', () =>
      withModel('f32', async model => {
        const alone = await read(model, [whole(model, [...TOKENS, 5])])
        const from = model.sequence(400)
        const prompt = { start: 0, end: 151 }
        const chunk = (tokens: number[], cache = from) => [{ tokens, cache, prompt, logits: 'last' }] as const
        await read(model, chunk(TOKENS.slice(0, 140)))
        const to = from.fork()
        await read(model, chunk(TOKENS.slice(140)))
        await model.shift(from, to, 140, 150)
        expect(await read(model, chunk([5], to))).toEqual(alone)
      }))
  })
}

async function chunksDoNotMatter(model: Model): Promise<void> {
  const alone = await read(model, [whole(model, TOKENS)])
  const cache = model.sequence(400)
  let last: number[] = []
  for (const [start, end] of [
    [0, 7],
    [7, 100],
    [100, 149],
    [149, 150],
  ] as const) {
    const chunk = { tokens: TOKENS.slice(start, end), cache, prompt: { start: 0, end: 150 }, logits: 'last' } as const
    last = await read(model, [chunk])
  }
  expect(last).toEqual(alone)
  const other = TOKENS.slice(40, 71)
  const otherAlone = await read(model, [whole(model, other)])
  expect(await read(model, [whole(model, other), whole(model, TOKENS)])).toEqual([...otherAlone, ...alone])
  // A generated token: beside another text, and after a fork of a block that is not full.
  const fork = cache.fork()
  const next = await read(model, [{ tokens: [5], cache, prompt: null, logits: 'last' }])
  const both = await read(model, [whole(model, other), { tokens: [5], cache: fork, prompt: null, logits: 'last' }])
  expect(both.slice(otherAlone.length)).toEqual(next)
}

function whole(model: Model, tokens: readonly number[]): StepInput {
  return { tokens, cache: model.sequence(400), prompt: { start: 0, end: tokens.length }, logits: 'last' }
}

async function read(model: Model, inputs: readonly StepInput[]): Promise<number[]> {
  return Array.from((await model.kernels.memory.read(await model.forward(inputs))) as Float32Array)
}

/** The block as it comes back from a file, in other memory. */
async function throughFile({ kernels, pool }: Model, { ids, provenance, blocks }: FilledBlock): Promise<FilledBlock> {
  const groups = await Promise.all(
    blocks.map(async b => b && ((await kernels.memory.read(b.memory)) as Uint8Array).slice()),
  )
  const key = { parent: 'mixed', ids, provenance }
  const read = await decodeBlock(await encodeBlock({ ...key, groups }), blockName(key))
  const placed = read.groups.map((bytes, group) => {
    if (!bytes) return null
    const block = pool.take(group)
    kernels.memory.upload(block.memory, bytes)
    return block
  })
  return { ids, provenance, blocks: placed }
}
