import { describe, expect, it } from 'vitest'
import { generationDefaults } from '../../src/engine/generation-defaults.ts'
import { ConfigError } from '../../src/index.ts'
import type { ModelConfig } from '../../src/model/config.ts'

const model = { eosTokenIds: [2] } as unknown as ModelConfig
const read = (config: unknown) => generationDefaults(model, config, 'generation_config.json')

describe('generationDefaults', () => {
  it('says nothing without a file', () => {
    expect(read(undefined)).toEqual({ sampling: {}, eosTokenIds: [2] })
  })

  it('takes what the file says', () => {
    const file = {
      do_sample: true,
      temperature: 0.6,
      top_p: 0.95,
      top_k: 20,
      repetition_penalty: 1.05,
      eos_token_id: [2, 7],
    }
    expect(read(file)).toEqual({
      sampling: { temperature: 0.6, topP: 0.95, topK: 20, repetitionPenalty: 1.05 },
      eosTokenIds: [2, 7],
    })
    expect(read({ temperature: 0.6, top_k: -1, eos_token_id: 5 })).toEqual({
      sampling: { temperature: 0.6, topK: 0 },
      eosTokenIds: [2, 5],
    })
  })

  it('is greedy where the file says that nothing is drawn', () => {
    expect(read({ do_sample: false, temperature: 0.6, top_p: 0.9, repetition_penalty: 1.1 }).sampling).toEqual({
      temperature: 0,
      repetitionPenalty: 1.1,
    })
  })

  it.each([{ temperature: 'hot' }, { top_p: 2 }, { eos_token_id: ['x'] }, { repetition_penalty: 0 }, []])(
    'refuses %j',
    file => {
      expect(() => read(file)).toThrow(ConfigError)
    },
  )
})
