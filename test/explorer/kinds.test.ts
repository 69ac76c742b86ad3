/** Every view with a model of each kind of attention: it shows what makes sense, and a sentence where something does not. */
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { ALL_WANTED, it, NO_CHROMIUM, WHY_SKIPPED } from './in-browser.ts'

const OURS = 'test/fixtures/'
const SHARED = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url))
const SMOL = fileURLToPath(
  new URL('../../../shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf', import.meta.url),
)

/** What is there as soon as a view shows a model that writes. */
const READY = {
  tokens: '.token',
  patterns: '#all-heads[aria-busy=false]',
  number: '#share',
  cache: '#written[aria-busy=false]',
  latent: '#losses',
  next: '.lens td',
  planner: '#own-bytes',
  chat: '.write',
} as const

/** What an encoder has no use for. */
const OF_WRITING = ['cache', 'next', 'planner', 'chat']

interface Kind {
  readonly model: string
  /** A sentence in a view. */
  readonly says: Partial<Record<keyof typeof READY, string>>
  /** Default: what each view begins with. */
  readonly text?: string
  /** It writes none. */
  readonly encoder?: boolean
}

const KINDS: readonly Kind[] = [
  {
    model: `${OURS}checkpoints/gpt2`,
    says: { number: 'does not rotate', latent: 'has no latents', chat: 'has no chat template' },
  },
  { model: `${OURS}checkpoints/falcon-mqa`, says: { number: 'one path to the number' } },
  { model: `${OURS}checkpoints/gemma3-mqa`, says: { latent: 'has no latents' } },
  { model: `${OURS}checkpoints/deepseek-v2-lite`, says: { latent: 'caches a latent of' } },
  { model: `${OURS}checkpoints/deepseek-v3-fp8`, says: { number: 'multiplications' } },
  {
    model: `${OURS}embeddings/bert`,
    says: {
      ...{ next: 'is an encoder', chat: 'is an encoder', latent: 'is an encoder' },
      ...{ cache: 'it keeps no cache', planner: 'encoder' },
    },
    encoder: true,
    // It reads 48 tokens, which are nearly letters.
    text: 'The cat sat',
  },
  {
    model: `${OURS}families/qwen3-next`,
    says: {
      patterns: 'no token looks at another',
      latent: 'carry a state instead',
      cache: 'carry a state of one size for any text',
    },
  },
  ...(existsSync(`${SHARED}families/deepseek-v32`)
    ? [{ model: `${SHARED}families/deepseek-v32`, says: { patterns: 'by an indexer, and looks at no other' } }]
    : []),
  ...(existsSync(`${SHARED}families/longcat-flash`)
    ? [
        {
          model: `${SHARED}families/longcat-flash`,
          says: { patterns: 'layers 0 and 1 are its layer 0', next: 'layers 0 and 1 are its layer 0' },
        },
      ]
    : []),
  {
    model: `${OURS}families/t5`,
    says: {
      next: 'it has read the text above',
      number: 'The key is of the source',
      chat: 'writes another text from it',
    },
  },
  ...(existsSync(SMOL)
    ? [{ model: SMOL, says: { patterns: 'In head 25.2', next: 'nearly sure', chat: 'Enter sends' } }]
    : []),
]
const WANTED = ALL_WANTED ? KINDS : KINDS.filter(({ model }) => /gpt2|bert|qwen3-next/.test(model))

function filesOf(model: string): string[] {
  if (model.endsWith('.gguf')) return [model]
  const wanted = /^(?:config|tokenizer|tokenizer_config)\.json$|^model.*\.safetensors$/
  return readdirSync(model)
    .filter(name => wanted.test(name))
    .map(name => `${model}/${name}`)
}

describe.skipIf(NO_CHROMIUM)(`a model of each kind${WHY_SKIPPED}`, () => {
  for (const { model, says, text, encoder = false } of WANTED) {
    it(`${model.slice(model.lastIndexOf('/') + 1)} in every view`, { timeout: 240_000 }, async ({ open }) => {
      const page = await open(text === undefined ? '#/tokens' : `#/tokens?${new URLSearchParams({ text })}`)
      await page.locator('.model-bar input[type=file]').setInputFiles(filesOf(model))
      await page.locator('.model-bar').getByText('of cache per').waitFor({ timeout: 60_000 })
      for (const [view, ready] of Object.entries(READY)) {
        const params = JSON.stringify(view === 'planner' ? { model: 'loaded', context: '1000' } : { steps: '8' })
        await page.evaluate(`location.hash = '#/${view}?' + new URLSearchParams(
          { ...Object.fromEntries(new URLSearchParams(location.hash.split('?')[1])), ...${params} })`)
        const sentence = says[view as keyof typeof READY]
        if (sentence !== undefined) await page.locator('main').getByText(sentence).first().waitFor({ timeout: 60_000 })
        const refused = encoder && OF_WRITING.includes(view)
        if (!refused) {
          await page.locator(ready).first().waitFor({ timeout: 60_000 })
          // What a rank changes is read and asked later: of a model that writes, until it has written.
          if (view === 'latent' && encoder) await page.waitForTimeout(1500)
          else if (view === 'latent') await page.locator('#written-rank[aria-busy=false]').waitFor({ timeout: 60_000 })
          expect(await page.locator('.problem').allTextContents()).toEqual([])
        }
      }
    })
  }
})
