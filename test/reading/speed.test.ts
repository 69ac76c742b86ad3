/** How long one head of a long text takes when the text has been read. Reading it takes a minute on a busy machine. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'

const FOLDER = fileURLToPath(new URL('../../../shared/models/smollm2-135m-instruct/', import.meta.url))
const wanted = process.env.LATENTKIT_LONG !== undefined && existsSync(FOLDER)

describe.skipIf(!wanted)('4,096 tokens of SmolLM2, needs the model and LATENTKIT_LONG', () => {
  it('one head takes less than a second of processor time', { timeout: 600_000 }, async () => {
    await using engine = await Engine.load(FOLDER, { inline: true, contextLength: 4096 })
    const ids = Array.from({ length: 4096 }, (_, i) => ((i * 7919) % 40_000) + 100)
    await using reading = await engine.inspect(ids)
    for (const options of [{}, { pool: 512 }, { pool: 64, measures: true }, { rows: [4000, 4096] }]) {
      for (const layer of [14, 20]) {
        const before = process.cpuUsage()
        for await (const map of reading.attention({ layers: [layer], heads: [3], ...options }))
          expect(map.keys).toBe(4096)
        const { user, system } = process.cpuUsage(before)
        console.log(
          JSON.stringify(options),
          `layer ${layer}: ${Math.round((user + system) / 1000)} ms of processor time`,
        )
        expect((user + system) / 1e6).toBeLessThan(1)
      }
    }
  })
})
