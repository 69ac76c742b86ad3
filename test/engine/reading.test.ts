/** A text that is looked into, through the engine: what callers see, and what they are told when they ask for too much. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AttentionMap, Engine, type Reading } from '../../src/index.ts'
import { loadTales } from './tales.ts'

const TEXT = 'The fox said to the hen: "The fox is here." The hen said to the fox: '

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

describe('a reading', () => {
  let engine: Engine
  let reading: Reading
  beforeAll(async () => {
    engine = await loadTales()
    reading = await engine.inspect(TEXT)
  })
  afterAll(() => engine.dispose())

  it('has the tokens of a prompt, with their bytes', async () => {
    const bytes = reading.tokens.filter(({ special }) => !special).flatMap(token => [...token.bytes])
    expect(new TextDecoder().decode(Uint8Array.from(bytes)).trim()).toBe(TEXT.trim())
    expect(reading.tokens.map(({ position }) => position)).toEqual(reading.tokens.map((_, i) => i))
    const again = await engine.inspect(reading.tokens.map(({ id }) => id))
    expect(again.tokens).toEqual(reading.tokens)
    await again.dispose()
  })

  it('gives every head once, rows that sum to 1, and nothing of later keys', async () => {
    const maps = await all(reading.attention())
    const heads = reading.layers.flatMap(({ layer, heads }) =>
      Array.from({ length: heads }, (_, head) => [layer, head]),
    )
    expect(maps.map(({ layer, head }) => [layer, head])).toEqual(heads)
    const n = reading.tokens.length
    for (const { probabilities = new Float32Array() } of maps) {
      for (let t = 0; t < n; t++) {
        const row = probabilities.subarray(t * n, (t + 1) * n)
        expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
        expect(row.subarray(t + 1).every(p => p === 0)).toBe(true)
      }
    }
  })

  it('gives chosen layers, heads and rows the bits of all', async () => {
    const maps = await all(reading.attention({ scores: true, probabilities: true }))
    const n = reading.tokens.length
    const some = await all(
      reading.attention({ layers: [-1, 0], heads: [1, -1], rows: [3, -2], probabilities: true, scores: true }),
    )
    expect(some.map(({ layer, head }) => [layer, head])).toEqual(
      [reading.layers.length - 1, 0].flatMap(layer => [
        [layer, 1],
        [layer, (reading.layers[layer]?.heads ?? 0) - 1],
      ]),
    )
    for (const map of some) {
      const whole = maps.find(({ layer, head }) => layer === map.layer && head === map.head) as AttentionMap
      expect(map).toMatchObject({ start: 3, rows: n - 5, keys: n })
      expect(map.probabilities).toEqual(whole.probabilities?.slice(3 * n, (n - 2) * n))
      expect(map.scores).toEqual(whole.scores?.slice(3 * n, (n - 2) * n))
    }
  })

  it.each(['max', 'mean'] as const)('reduces a pattern by %s as it says', async pooling => {
    const [whole] = await all(reading.attention({ layers: [1], heads: [0] }))
    const [{ pooled } = {} as AttentionMap] = await all(
      reading.attention({ layers: [1], heads: [0], pool: 7, pooling }),
    )
    const n = reading.tokens.length
    const cells: number[][] = Array.from({ length: 49 }, () => [])
    whole?.probabilities?.forEach((p, i) => {
      const [t, s] = [Math.floor(i / n), i % n]
      cells[Math.floor((t * 7) / n) * 7 + Math.floor((s * 7) / n)]?.push(p)
    })
    const want = cells.map(cell =>
      pooling === 'max' ? Math.max(...cell) : cell.reduce((a, b) => a + b, 0) / cell.length,
    )
    expect(pooled).toMatchObject({ height: 7, width: 7 })
    for (const [i, x] of want.entries()) expect(pooled?.values[i]).toBeCloseTo(x, 6)
  })

  it('measures heads as defined', async () => {
    const n = reading.tokens.length
    const ids = reading.tokens.map(({ id }) => id)
    const words = reading.tokens.map(({ text }) => text.trim().toLowerCase())
    const mean = (values: number[]) => (values.length ? values.reduce((a, b) => a + b, 0) / values.length : null)
    for (const { probabilities = new Float32Array(), measures } of await all(
      reading.attention({ layers: [0, 2], probabilities: true, measures: true }),
    )) {
      const p = (t: number, s: number) => probabilities[t * n + s] as number
      const queries = Array.from({ length: n }, (_, t) => t)
      const over = (keys: (t: number) => number[]) =>
        mean(queries.flatMap(t => (keys(t).length ? [keys(t).reduce((sum, s) => sum + p(t, s), 0)] : [])))
      const until = (t: number) => queries.slice(0, t)
      const want = {
        previous: over(t => (t > 0 ? [t - 1] : [])),
        first: over(t => (t > 0 ? [0] : [])),
        induction: over(t =>
          until(t)
            .filter(s => s + 1 < t && ids[s] === ids[t])
            .map(s => s + 1),
        ),
        sameWord: over(t => (/\w/.test(words[t] ?? '') ? until(t).filter(s => words[s] === words[t]) : [])),
      }
      for (const [name, value] of Object.entries(want)) {
        expect(measures?.[name as keyof typeof want], name).toBeCloseTo(value ?? Number.NaN, 5)
      }
    }
  })

  it('says what the model writes next', async () => {
    const { top, logits, entropy } = await reading.next({ top: 3, logits: true })
    const { tokenIds } = await engine.generate(
      { tokenIds: reading.tokens.map(({ id }) => id) },
      { maxTokens: 1, temperature: 0 },
    )
    expect(top[0]?.id).toBe(tokenIds[0])
    expect(top.map(({ probability }) => probability)).toEqual([...top].map(t => t.probability).sort((a, b) => b - a))
    expect(logits).toHaveLength(engine.info.vocabSize)
    expect(entropy).toBeGreaterThan(0)
    const lens = await all(reading.lens({ top: 3 }))
    expect(lens.map(({ layer }) => layer)).toEqual(Array.from({ length: reading.layers.length + 1 }, (_, i) => i))
    expect(lens.at(-1)?.top).toEqual(top)
  })

  it('gives the stream at every depth', async () => {
    const states = await all(reading.hidden())
    expect(states).toHaveLength(reading.layers.length + 1)
    const [some] = await all(reading.hidden({ layers: [2], rows: [1, 3] }))
    const D = reading.hiddenSize
    expect(some?.values).toEqual(states[2]?.values.slice(D, 3 * D))
  })

  it('ends when it is told to', async () => {
    const stop = new AbortController()
    const maps = reading.attention({ signal: stop.signal })
    await maps.next()
    stop.abort(new Error('enough'))
    await expect(all(maps)).rejects.toThrow('enough')
    await expect(engine.inspect(TEXT, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
  })

  it('refuses what is too much or wrong, with numbers', async () => {
    const refused = (asked: Promise<unknown>) => expect(asked).rejects
    await refused(engine.inspect([])).toThrow('text has no tokens')
    await refused(engine.inspect('word '.repeat(2100))).toThrow('this engine reads at most 2048')
    await refused(engine.inspect([1, 99_999_999])).toThrow('text[1] is 99999999; expected a token id below')
    await refused(engine.inspect(TEXT, { maxBytes: 1000 })).toThrow(/keeps \d+ bytes.*maxBytes allows 1000/)
    await refused(all(reading.attention({ layers: [99] }))).toThrow('layers[0] is 99; expected -')
    await refused(all(reading.attention({ heads: [-99] }))).toThrow('heads[0] is -99')
    await refused(all(reading.attention({ rows: [5, 5] }))).toThrow('rows is [5, 5]')
    await refused(all(reading.attention({ pol: 5 } as never))).toThrow('did you mean pool?')
    await refused(reading.next({ row: 500 })).toThrow('row is 500')
  })

  it('counts texts that are being read when another begins', async () => {
    const maxBytes = 2.5 * reading.bytes
    const both = await Promise.allSettled([1, 2].map(() => engine.inspect(TEXT, { maxBytes })))
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    for (const one of both) if (one.status === 'fulfilled') await one.value.dispose()
    const alone = await engine.inspect(TEXT, { maxBytes })
    await alone.dispose()
  })

  it('of one token: it looks at itself', async () => {
    await using one = await engine.inspect([5])
    const [map] = await all(one.attention({ layers: [0], heads: [0], probabilities: true, measures: true, pool: 3 }))
    expect(map?.probabilities).toEqual(Float32Array.of(1))
    expect(map?.pooled).toEqual({ height: 1, width: 1, values: Float32Array.of(1) })
    expect(map?.measures).toEqual({ previous: null, first: null, induction: null, sameWord: null })
    const [spectrum] = await all(one.spectra({ layers: [0] }))
    expect(spectrum?.errors).toEqual(Float64Array.of(1, 0))
  })

  it('is gone when it is disposed of', async () => {
    const own = await engine.inspect('The end.')
    await own.dispose()
    await own.dispose()
    await expect(own.next()).rejects.toThrow('This reading has been disposed of')
  })
})

describe('of an encoder', () => {
  it('every token sees the whole text, and there is no next token', async () => {
    const engine = await Engine.load('test/fixtures/embeddings/bert', { inline: true })
    const reading = await engine.inspect('A man is eating food.')
    expect(reading.causal).toBe(false)
    const n = reading.tokens.length
    for await (const { probabilities = new Float32Array() } of reading.attention()) {
      for (let t = 0; t < n; t++) {
        const row = probabilities.subarray(t * n, (t + 1) * n)
        expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
        expect(row.every(p => p > 0)).toBe(true)
      }
    }
    const cell = await reading.cell({ layer: 0, head: 0, query: 0, key: n - 1 })
    expect(cell).toMatchObject({ seen: true, rotation: null, latent: null })
    expect(Math.abs(cell.score - (cell.paths[0]?.worked ?? 9))).toBeLessThan(1e-4)
    await expect(reading.next()).rejects.toThrow('is an encoder')
    await engine.dispose()
  })
})

describe('of an encoder-decoder', () => {
  const SOURCE = 'The fox said to the hen'
  let engine: Engine
  beforeAll(async () => {
    engine = await Engine.load('test/fixtures/families/t5', { inline: true, cacheType: 'f32' })
  }, 60_000)
  afterAll(() => engine.dispose())

  it('a target is read behind the first token, and looks at the source', async () => {
    const { tokenIds } = await engine.generate(SOURCE, { temperature: 0, maxTokens: 5, ignoreEos: true })
    await using reading = await engine.inspect(SOURCE, { target: tokenIds })
    const source = reading.source as Reading
    expect(reading.tokens.slice(1).map(({ id }) => id)).toEqual([...tokenIds])
    expect([reading.causal, source.causal, source.source]).toEqual([true, false, null])
    for (const [row, id] of tokenIds.entries()) expect((await reading.next({ row, top: 1 })).top[0]?.id).toBe(id)
    const [T, S] = [reading.tokens.length, source.tokens.length]
    const maps = await all(reading.attention({ cross: true }))
    expect(maps).toHaveLength(reading.layers.reduce((n, { crossHeads }) => n + crossHeads, 0))
    for (const { rows, keys, probabilities = new Float32Array() } of maps) {
      expect([rows, keys, probabilities.length]).toEqual([T, S, T * S])
      for (let t = 0; t < T; t++)
        expect(probabilities.subarray(t * S, (t + 1) * S).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
    }
    const written = await all(reading.write({ maxTokens: 2 }))
    const more = await engine.generate(SOURCE, { temperature: 0, maxTokens: 7, ignoreEos: true })
    expect(more.tokenIds.slice(5).slice(0, written.length)).toEqual(written.map(({ id }) => id))
  })

  it('a head of its own attention that is off changes what its cross-attention looks at behind it', async () => {
    const target = 'The hen said'
    await using plain = await engine.inspect(SOURCE, { target })
    await using off = await engine.inspect(SOURCE, { target, changes: [{ kind: 'off', layer: 0, head: 0 }] })
    const [a, b] = await Promise.all([plain, off].map(one => all(one.attention({ cross: true, layers: [0] }))))
    expect(a?.[0]?.probabilities).not.toEqual(b?.[0]?.probabilities)
    await using same = await engine.inspect(SOURCE, { target })
    expect(await all(same.attention({ cross: true, layers: [0] }))).toEqual(a)
  })

  it('refuses what makes no sense, and takes its source with it', async () => {
    const reading = await engine.inspect(SOURCE)
    expect(reading.tokens).toHaveLength(1)
    const source = reading.source as Reading
    await expect(all(reading.attention({ cross: true, measures: true }))).rejects.toThrow('cross-attention has none')
    await expect(all(source.attention({ cross: true }))).rejects.toThrow('has no cross-attention')
    await expect(source.next()).rejects.toThrow('is an encoder')
    const change = { kind: 'head', layer: 0, head: 0, from: source } as const
    await expect(engine.inspect(SOURCE, { changes: [change] })).rejects.toThrow('expected a reading of this engine')
    await reading.dispose()
    await expect(all(source.hidden())).rejects.toThrow('has been disposed of')
    await using tales = await loadTales()
    await expect(tales.inspect('a', { target: 'b' })).rejects.toThrow('reads one text')
  })
})

describe('of a model with states in place of keys', () => {
  it('layers without attention say so, and have states and a lens', async () => {
    await using engine = await Engine.load('test/fixtures/families/qwen3-next', { inline: true })
    await using reading = await engine.inspect([5, 6, 7, 8])
    expect(reading.layers.map(({ kind, heads }) => (heads === 0 ? kind : 'attends'))).toEqual([
      'delta',
      'attends',
      'delta',
      'attends',
      'delta',
    ])
    const maps = await all(reading.attention())
    expect(new Set(maps.map(({ layer }) => layer))).toEqual(new Set([1, 3]))
    expect(await all(reading.hidden())).toHaveLength(6)
    expect(await all(reading.lens())).toHaveLength(6)
    const why = 'layer 2 carries a state in place of keys and attends to nothing. Expected a layer that attends: 1, 3'
    await expect(all(reading.attention({ layers: [2] }))).rejects.toThrow(`layers[0] is 2; ${why}`)
    await expect(reading.cell({ layer: 2, head: 0, query: 1, key: 0 })).rejects.toThrow(why)
    const off = { kind: 'off', layer: 2, head: 0 } as const
    await expect(engine.inspect([5, 6], { changes: [off] })).rejects.toThrow(`changes[0].layer is 2; ${why}`)
    await using cut = await engine.inspect([5, 6, 7, 8], { changes: [{ kind: 'rank', of: 'keys', rank: 1 }] })
    expect((await cut.next()).top).not.toEqual((await reading.next()).top)
  })
})
