/** Layers that take from earlier ones more than the stream: keys and values (Gemma 4), what experts have returned (LongCat). */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Engine, type Reading } from '../../src/index.ts'
import { worstError } from '../../src/inspection/verify/measure.ts'
import { familyFolders } from '../support/all-fixtures.ts'
import { tempFolder } from '../support/temp-folder.ts'

const GEMMA = familyFolders().get('gemma4')
const LONGCAT = familyFolders().get('longcat-flash')
const TEXT = [0, 17, 44, 9, 120, 61, 17]
const OTHER = [0, 80, 5, 230, 12, 44, 3]

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const states = async (reading: Reading) => (await all(reading.hidden())).map(({ values }) => values)

describe.skipIf(!GEMMA)('a layer that reads the keys of an earlier one', () => {
  it('says which, multiplies them, and is cut where that one is', async () => {
    await using engine = await Engine.load(GEMMA as string, { inline: true })
    await using reading = await engine.inspect(TEXT)
    const keysOf = reading.layers.map(layer => layer.keysOf)
    expect(keysOf).toEqual([null, null, null, 1, 1, 2])
    const vectors = (layer: number) => reading.vectors({ layer, head: 0 })
    for (const [layer, from] of [
      [3, 1],
      [5, 2],
    ] as const) {
      const [{ keys, values }, own] = [await vectors(layer), await vectors(from)]
      expect({ keys, values }).toEqual({ keys: own.keys, values: own.values })
      expect((await vectors(layer)).queries).not.toEqual(own.queries)
    }
    // Nothing of the values is left in any layer.
    await using none = await engine.inspect(TEXT, { changes: [{ kind: 'rank', of: 'values', rank: 0 }] })
    const cell = await none.cell({ layer: 4, head: 1, query: -1, key: 2 })
    expect([...cell.output].every(x => x === 0)).toBe(true)
    await using whole = await engine.inspect(TEXT, { changes: [{ kind: 'rank', of: 'values', rank: 7 }] })
    expect(worstError((await states(whole)).at(-1)!, (await states(reading)).at(-1)!)).toBeLessThan(1e-4)
    expect((await all(reading.spectra())).map(({ layer }) => layer)).toEqual([0, 1, 2])
    await expect(all(reading.spectra({ layers: [-1] }))).rejects.toThrow(
      'layers[0] is -1; layer 5 stores no keys and values: it reads those of layer 2. Expected 2',
    )
    const changes = [{ kind: 'rank', of: 'keys', layer: 3, rank: 1 }] as const
    await expect(engine.inspect(TEXT, { changes })).rejects.toThrow('changes[0].layer is 3; layer 3 stores no keys')
  })
})

describe.skipIf(!LONGCAT)('half a layer, while experts have returned what joins the stream later', () => {
  it('takes that along from another text', async () => {
    await using engine = await Engine.load(LONGCAT as string, { inline: true })
    await using other = await engine.inspect(OTHER)
    const expected = await states(other)
    for (const { layer } of other.layers) {
      await using patched = await engine.inspect(TEXT, { changes: [{ kind: 'state', layer, from: other }] })
      expect((await states(patched)).slice(layer)).toEqual(expected.slice(layer))
    }
  })

  it('has it in the logit lens: a second half that adds nothing changes no logit', async () => {
    const folder = tempFolder()
    cpSync(LONGCAT as string, folder, { recursive: true })
    zero(path.join(folder, 'model.safetensors'), [
      'model.layers.1.self_attn.1.o_proj.weight',
      'model.layers.1.mlps.1.down_proj.weight',
    ])
    await using engine = await Engine.load(folder, { inline: true })
    await using reading = await engine.inspect(TEXT)
    const [half, end] = await all(reading.lens({ layers: [3, 4], logits: true }))
    expect(worstError(half!.logits!, end!.logits!)).toBeLessThan(1e-5)
    const [before, after] = (await states(reading)).slice(3)
    expect(worstError(before!, after!)).toBeGreaterThan(1e-3)
  })
})

/** Writes zeros into tensors of a file. */
function zero(file: string, names: readonly string[]): void {
  const bytes = new Uint8Array(readFileSync(file))
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<
    string,
    { readonly data_offsets: readonly [number, number] }
  >
  for (const name of names) {
    const [from, to] = header[name]!.data_offsets
    bytes.fill(0, 8 + length + from, 8 + length + to)
  }
  writeFileSync(file, bytes)
}
