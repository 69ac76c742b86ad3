/** A text that is read with changes: each beside what it means by other means. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine, Reading, ReadingChange } from '../../src/index.ts'
import { loadTales } from '../engine/tales.ts'

const TEXT = 'Once upon a time there was a little fox who lived near the'
const OTHER = 'Once upon a time there was an old man who lived in the'

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const states = async (reading: Reading) => (await all(reading.hidden())).map(({ values }) => values)

describe('changes', () => {
  let engine: Engine
  let plain: Reading
  let other: Reading
  let L = 0
  beforeAll(async () => {
    engine = await loadTales()
    plain = await engine.inspect(TEXT)
    other = await engine.inspect(OTHER)
    L = plain.layers.length
  }, 60_000)
  afterAll(() => engine?.dispose())

  const changed = (...changes: ReadingChange[]) => engine.inspect(TEXT, { changes })

  it('a head that is taken from the same text changes no bit', async () => {
    const same = await changed(
      { kind: 'head', layer: 2, head: 1, from: plain },
      { kind: 'state', layer: 4, from: plain },
    )
    expect(await states(same)).toEqual(await states(plain))
    await same.dispose()
  })

  it('a head that is off adds nothing: all layers before are as they were, and what it added is gone', async () => {
    const off = await changed({ kind: 'off', layer: 3, head: 2 })
    const [before, after] = [await states(plain), await states(off)]
    expect(after.slice(0, 4)).toEqual(before.slice(0, 4))
    expect(after[4]).not.toEqual(before[4])
    // The same as the output of another text's head of zeros: none is, so by its parts: all heads off is no attention at all.
    const heads = plain.layers[3]?.heads ?? 0
    const silent = await changed(
      ...Array.from({ length: heads }, (_, head) => ({ kind: 'off', layer: 3, head }) as const),
    )
    const alone = await engine.inspect([plain.tokens[0]?.id ?? 0, plain.tokens.at(-1)?.id ?? 0], {
      changes: Array.from({ length: heads }, (_, head) => ({ kind: 'off', layer: 0, head }) as const),
    })
    // Without attention in layer 0 a token's state depends on itself alone.
    const lone = await engine.inspect([plain.tokens.at(-1)?.id ?? 0], {
      changes: Array.from({ length: heads }, (_, head) => ({ kind: 'off', layer: 0, head }) as const),
    })
    const D = plain.hiddenSize
    const [first] = await all(alone.hidden({ layers: [1], rows: [1, 2] }))
    const [second] = await all(lone.hidden({ layers: [1] }))
    for (let i = 0; i < D; i++) expect(first?.values[i]).toBeCloseTo(second?.values[i] as number, 4)
    for (const reading of [off, silent, alone, lone]) await reading.dispose()
  })

  it('a head that is off for some tokens leaves those before as they were', async () => {
    const off = await changed({ kind: 'off', layer: 1, head: 0, rows: [-2, 999] })
    const D = plain.hiddenSize
    const kept = (plain.tokens.length - 2) * D
    const [before, after] = [await states(plain), await states(off)]
    for (let i = 0; i <= L; i++) expect(after[i]?.subarray(0, kept)).toEqual(before[i]?.subarray(0, kept))
    expect(after[2]?.subarray(kept)).not.toEqual(before[2]?.subarray(kept))
    await off.dispose()
  })

  it("the last layer's state of another text says what that text says", async () => {
    const patched = await changed({ kind: 'state', layer: -1, row: -1, from: other, fromRow: -1 })
    expect((await patched.next({ logits: true })).logits).toEqual((await other.next({ logits: true })).logits)
    expect((await patched.next({ row: -2, logits: true })).logits).toEqual(
      (await plain.next({ row: -2, logits: true })).logits,
    )
    await patched.dispose()
  })

  it('a rank: what is lost is what the spectrum says, and the full one changes little', async () => {
    const [spectrum] = await all(plain.spectra({ layers: [0] }))
    expect(spectrum).toMatchObject({ layer: 0, of: 'latent', width: plain.layers[0]?.latentSize })
    const latents = async (reading: Reading) =>
      (await reading.vectors({ layer: 0, head: 0 })).latent?.latents as Float32Array
    const before = await latents(plain)
    for (const rank of [0, 2, 5, 128]) {
      const cut = await changed({ kind: 'rank', of: 'latent', layer: 0, rank })
      const after = await latents(cut)
      const loss = Math.hypot(...before.map((x, i) => x - (after[i] as number))) / Math.hypot(...before)
      expect(Math.abs(loss - (spectrum?.errors[Math.min(rank, spectrum.errors.length - 1)] ?? 9))).toBeLessThan(1e-5)
      if (rank === 0) {
        const { latent, values } = await cut
          .cell({ layer: 0, head: 0, query: -1, key: 3 })
          .then(cell => ({ latent: cell.latent?.latent, values: cell.value }))
        expect([...(latent ?? [1]), ...values].every(x => x === 0)).toBe(true)
      }
      if (rank === 128) {
        const [a, b] = [await cut.next({ top: 1 }), await plain.next({ top: 1 })]
        expect(a.top[0]?.id).toBe(b.top[0]?.id)
        expect(a.top[0]?.logit).toBeCloseTo(b.top[0]?.logit as number, 3)
      }
      await cut.dispose()
    }
    const everywhere = await changed({ kind: 'rank', of: 'latent', rank: 1 })
    expect(everywhere.bytes).toBeGreaterThan(plain.bytes)
    expect((await everywhere.next()).top).not.toEqual((await plain.next()).top)
    await everywhere.dispose()
  })

  it('a text goes on under its changes; without any, as the model writes it', async () => {
    const written = (reading: Reading) => all(reading.write({ maxTokens: 6 }))
    const ids = plain.tokens.map(({ id }) => id)
    const { tokenIds } = await engine.generate({ tokenIds: ids }, { maxTokens: 6, temperature: 0 })
    expect((await written(plain)).map(({ id }) => id)).toEqual(tokenIds)
    const changes: ReadingChange[] = [
      { kind: 'rank', of: 'latent', rank: 2 },
      { kind: 'state', layer: 3, row: -1, from: other },
    ]
    const cut = await changed(...changes)
    const tokens = await written(cut)
    expect(tokens.map(({ id }) => id)).not.toEqual(tokenIds)
    // The same as reading the longer text with the place spelled out.
    const longer = await engine.inspect([...ids, tokens[0]?.id ?? 0], {
      changes: [
        changes[0] as ReadingChange,
        { kind: 'state', layer: 3, row: ids.length - 1, from: other, fromRow: -1 },
      ],
    })
    expect((await longer.next({ top: 1 })).top[0]).toEqual(tokens[1])
    await longer.dispose()
    await cut.dispose()
  })

  it('are refused where they make no sense', async () => {
    const refused = (changes: unknown) => expect(engine.inspect(TEXT, { changes: changes as ReadingChange[] })).rejects
    await refused('off').toThrow('changes is "off"; expected a list')
    await refused([{ kind: 'of', layer: 0, head: 0 }]).toThrow('changes[0].kind is "of"; did you mean off?')
    await refused([{ kind: 'off', layer: 0 }]).toThrow('changes[0] has no head')
    await refused([{ kind: 'off', layer: 0, head: 99 }]).toThrow('changes[0].head is 99; expected -')
    await refused([{ kind: 'off', layer: 0, head: 0, row: [1, 2] }]).toThrow('did you mean rows?')
    await refused([{ kind: 'rank', of: 'keys', rank: 3 }]).toThrow('stores a latent (MLA)')
    await refused([{ kind: 'head', layer: 0, head: 0, from: 'x' }]).toThrow(
      'changes[0].from is "x"; expected a reading',
    )
    const short = await engine.inspect('A fox')
    await refused([{ kind: 'head', layer: 0, head: 0, from: short }]).toThrow(
      /takes all tokens of a text of \d+ for one of/,
    )
    await refused([{ kind: 'state', layer: 0, row: 1, from: short, fromRow: 1, count: 90 }]).toThrow(
      'some of them are not there',
    )
    await short.dispose()
    await refused([{ kind: 'state', layer: 0, row: 1, from: short }]).toThrow('This reading has been disposed of')
  })

  it('neighbours are the nearest by cosine', async () => {
    const found = await engine.neighbours(plain.tokens[3]?.id ?? 0, { top: 5 })
    expect(found).toHaveLength(5)
    expect(found.map(n => n.similarity)).toEqual([...found.map(n => n.similarity)].sort((a, b) => b - a))
    const vector = async (id: number) => {
      const reading = await engine.inspect([id])
      const [state] = await all(reading.hidden({ layers: [0] }))
      await reading.dispose()
      return state?.values as Float32Array
    }
    const [a, b] = [await vector(plain.tokens[3]?.id ?? 0), await vector(found[0]?.id ?? 0)]
    const dot = a.reduce((sum, x, i) => sum + x * (b[i] as number), 0)
    expect(found[0]?.similarity).toBeCloseTo(dot / (Math.hypot(...a) * Math.hypot(...b)), 5)
    await expect(engine.neighbours(99_999_999)).rejects.toThrow('token is 99999999')
  })
})
