import { describe, expect, it } from 'vitest'
import { generationDefaults } from '../../src/engine/load/generation-defaults.ts'
import { ConfigError } from '../../src/index.ts'
import type { ModelConfig } from '../../src/nn/config.ts'

const model = { eosTokenIds: [2] } as unknown as ModelConfig
const read = (config: unknown, eosId?: number) =>
  generationDefaults(model, { config, file: 'generation_config.json', eosId })

describe('generationDefaults', () => {
  it('says nothing without a file', () => {
    expect(read(undefined)).toEqual({ sampling: {}, minTokens: 0, eosTokenIds: [2], warnings: [] })
  })

  it('ends a text at the token that the tokenizer calls its end, too', () => {
    expect(read(undefined, 9).eosTokenIds).toEqual([2, 9])
    expect(read({ eos_token_id: [7, 9] }, 9).eosTokenIds).toEqual([2, 9, 7])
    expect(read({}, 2).eosTokenIds).toEqual([2])
  })

  it('bans no end of a text by itself', () => {
    const words = { bad_words_ids: [[2], [5], [9], [2, 5], [5, 9]], eos_token_id: 9 }
    expect(
      generationDefaults({ ...model, vocabSize: 10 }, { config: words, file: 'f', eosId: undefined }).bannedIds,
    ).toEqual([[5], [2, 5], [5, 9]])
  })

  it('takes what the file says', () => {
    const file = {
      do_sample: true,
      temperature: 0.6,
      top_p: 0.95,
      top_k: 20,
      min_p: 0.02,
      typical_p: 0.9,
      min_new_tokens: 3,
      repetition_penalty: 1.05,
      eos_token_id: [2, 7],
    }
    expect(read(file)).toEqual({
      sampling: { temperature: 0.6, topP: 0.95, topK: 20, minP: 0.02, typicalP: 0.9, repetitionPenalty: 1.05 },
      minTokens: 3,
      eosTokenIds: [2, 7],
      warnings: [],
    })
    expect(read({ temperature: 0.6, top_k: -1, typical_p: 1, eos_token_id: 5 })).toEqual({
      sampling: { temperature: 0.6, topK: 0 },
      minTokens: 0,
      eosTokenIds: [2, 5],
      warnings: [],
    })
  })

  it('is greedy where the file says that nothing is drawn', () => {
    expect(read({ do_sample: false, temperature: 0.6, top_p: 0.9, repetition_penalty: 1.1 }).sampling).toEqual({
      temperature: 0,
      repetitionPenalty: 1.1,
    })
  })

  it.each([
    { temperature: 'hot' },
    { temperature: Number.NaN },
    { top_p: 2 },
    { top_k: -5 },
    { typical_p: 2 },
    { min_new_tokens: -1 },
    { repetition_penalty: 0 },
    { repetition_penalty: Number.POSITIVE_INFINITY },
    { do_sample: 'yes' },
  ])('leaves out what makes no sense, and says so: %j', file => {
    const [key, value] = Object.entries(file)[0] as [string, unknown]
    const { sampling, warnings } = read({ ...file, eos_token_id: 7 })
    expect(sampling).toEqual({})
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(new RegExp(`^generation_config.json: "${key}" is .*; expected .* The default is used$`))
    expect(warnings[0]).toContain(typeof value === 'string' ? JSON.stringify(value) : String(value))
  })

  it.each([-1, [-1], null, ['x'], [null], 1.5, {}, 1e12])('counts %j as no end of a text', eos => {
    expect(read({ eos_token_id: eos }).eosTokenIds).toEqual([2])
    expect(read({ eos_token_id: [eos, 7].flat() }).eosTokenIds).toEqual([2, 7])
  })

  it('refuses what is no object', () => {
    expect(() => read([])).toThrow(ConfigError)
  })
})
