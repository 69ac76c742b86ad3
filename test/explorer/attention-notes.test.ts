/** What the page says of a model's layers is what its config.json says. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { attentionNotes } from '../../apps/explorer/view/attention-notes.ts'
import { Engine } from '../../src/index.ts'

const SHARED = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url))

describe('sentences on layers', () => {
  it.for([
    [
      'test/fixtures/checkpoints/gemma3-mqa',
      [
        'In every layer all 4 heads share one key and one value (MQA).',
        'In layers 0 to 2, tokens see the last 16 tokens only, themselves included.',
        'In layer 3, tokens see the whole text before them.',
      ],
    ],
    ['test/fixtures/checkpoints/gpt2', ['In every layer each head has its own keys and values (MHA).']],
    [
      'test/fixtures/checkpoints/deepseek-v2-lite',
      [
        'In every layer all 4 heads raise their keys and values from one latent of 48 numbers and share a rope key of 16 (MLA).',
      ],
    ],
    [
      'test/fixtures/embeddings/bert',
      [
        'An encoder: every token sees the whole text, also what comes after it.',
        'In every layer each head has its own keys and values (MHA).',
      ],
    ],
    [
      'test/fixtures/families/qwen3-next',
      [
        'In layers 0, 2 and 4, no token looks at another: a state that is carried from token to token (the gated delta rule) stands in place of keys, so there is no pattern.',
        'In layers 1 and 3, groups of 2 heads share one key and one value (GQA).',
      ],
    ],
    [
      `${SHARED}families/deepseek-v32`,
      [
        'In every layer all 4 heads raise their keys and values from one latent of 48 numbers and share a rope key of 16 (MLA).',
        'In every layer each token chooses at most 12 of the tokens that it sees, by an indexer, and looks at no other.',
      ],
    ],
    [
      `${SHARED}families/gemma4`,
      [
        'In every layer all 4 heads share one key and one value (MQA).',
        'In layers 0, 1, 3 and 4, tokens see the last 16 tokens only, themselves included.',
        'In layers 2 and 5, tokens see the whole text before them.',
        'In layers 3 and 4, no keys and values are made: those of layer 1 are read.',
        'In layer 5, no keys and values are made: those of layer 2 are read.',
      ],
    ],
    [
      `${SHARED}families/longcat-flash`,
      [
        'A layer of this model has 2 attentions, and each counts as a layer here: layers 0 and 1 are its layer 0.',
        'In every layer all 4 heads raise their keys and values from one latent of 48 numbers and share a rope key of 16 (MLA).',
      ],
    ],
    [
      `${SHARED}families/smollm3`,
      [
        'In every layer groups of 2 heads share one key and one value (GQA).',
        'In layers 0 to 2, rope rotates queries and keys.',
        'In layer 3, nothing is rotated, so positions are not known there.',
      ],
    ],
  ] as const)('%s', async ([model, expected], { skip }) => {
    if (!existsSync(model)) skip('the fixture is not here')
    await using engine = await Engine.load(model, { inline: true })
    await using reading = await engine.inspect('a')
    expect(attentionNotes(reading)).toEqual(expected)
    // Of one layer, what is said of it.
    expect(attentionNotes(reading, 0).at(-1)).toMatch(/^In this layer /)
  })
})
