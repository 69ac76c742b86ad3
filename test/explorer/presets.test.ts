/** Each text of the articles shows in its head what is said of it, in every model that is named. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { BUNDLED_NAME, PRESETS, shownIn } from '../../apps/explorer/view/presets.ts'
import { bundledModel, Engine } from '../../src/index.ts'

const SMOL = fileURLToPath(
  new URL('../../../shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf', import.meta.url),
)

async function expectShown(model: string): Promise<void> {
  await using engine = await Engine.load(model, { inline: true })
  for (const { text } of PRESETS) {
    const shown = shownIn(text, engine.info.name)
    if (shown === undefined) throw new Error(`nothing is said of “${text}” in ${engine.info.name}`)
    const { at, key } = shown
    await using reading = await engine.inspect(text)
    const [where] = [{ layers: [at.layer], heads: [at.head], rows: [at.query, at.query + 1] }]
    for await (const { probabilities } of reading.attention(where)) {
      const most = Math.max(...(probabilities ?? []))
      expect(probabilities?.[key], `${text}: ${at.layer}.${at.head}`).toBe(most)
      expect(most).toBeGreaterThan(0.45)
    }
  }
}

describe('the articles’ sentences', () => {
  it('show what is said of them in the bundled model', async () => {
    await expectShown(bundledModel())
    expect(shownIn(PRESETS[0]!.text, 'another-model')).toBeUndefined()
    expect(shownIn('another text', BUNDLED_NAME)).toBeUndefined()
  })

  it.skipIf(!existsSync(SMOL))('and in SmolLM2', async () => {
    await expectShown(SMOL)
  })
})
