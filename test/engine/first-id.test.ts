/** Encoder-decoders whose files demand the first id of a text, and texts that are held to a form. */
import { cpSync, writeFileSync } from 'node:fs'
import { Engine } from 'latentkit'
import { expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'

const FIRST = 2
const END = 1

async function load(): Promise<Engine> {
  const folder = tempFolder()
  cpSync('test/fixtures/families/t5', folder, { recursive: true })
  const ids = { pad_token_id: 0, eos_token_id: END, decoder_start_token_id: 0, forced_bos_token_id: FIRST }
  // The end of a text is never banned.
  writeFileSync(`${folder}/generation_config.json`, JSON.stringify({ ...ids, bad_words_ids: [[END], [0]] }))
  return Engine.load(folder, { threads: 1, cacheType: 'f32' })
}

it.each([{ temperature: 0 }, { temperature: 1, seed: 3 }, { beams: { width: 2 } }])(
  'the form begins behind the first id, and the text ends (%j)',
  async drawing => {
    await using engine = await load()
    const { text, tokenIds, finishReason } = await engine.generate('Once', {
      ...drawing,
      choices: ['st'],
      maxTokens: 8,
    })
    expect([tokenIds[0], text, finishReason]).toEqual([FIRST, 'st', 'stop'])
  },
)

it('a form that is resumed behind the first id, or within the text, goes on', async () => {
  await using engine = await load()
  const options = { temperature: 1, seed: 5, choices: ['stat'], maxTokens: 8 } as const
  const whole = await engine.generate('Once', options)
  expect(whole.text).toBe('stat')
  for (let n = 1; n < whole.tokenIds.length; n++) {
    const { tokenIds } = await engine.generate('Once', { ...options, resume: { tokenIds: whole.tokenIds.slice(0, n) } })
    expect(tokenIds).toEqual(whole.tokenIds)
  }
})
