import { describe, expect, it, test } from 'vitest'
import { chooseGguf, ggufModels } from '../../src/checkpoint/hub/gguf-choice.ts'

const label = (files: readonly string[], wanted?: string) => chooseGguf(ggufModels(files), wanted)?.label

/** As the hub has them: unsloth's folders of split sets, mradermacher's dots, bartowski's dashes. */
const REPO = [
  ...[
    'README.md',
    'config.json',
    'mmproj-F16.gguf',
    'imatrix.gguf',
    'm-Q4_K_M.gguf',
    'm-UD-Q4_K_XL.gguf',
    'm-Q4_K_XL.gguf',
  ],
  ...['Q8_0/m-Q8_0-00001-of-00003.gguf', 'Q8_0/m-Q8_0-00002-of-00003.gguf', 'Q8_0/m-Q8_0-00003-of-00003.gguf'],
  ...['m.IQ2_XXS.gguf', 'm-bf16.gguf'],
]

describe('the GGUF models of a repository', () => {
  it('are its quantisations, each with all its files', () => {
    const models = ggufModels(REPO)
    expect(models.map(m => m.label)).toEqual(['BF16', 'IQ2_XXS', 'Q4_K_M', 'Q4_K_XL', 'Q8_0', 'UD-Q4_K_XL'])
    expect(models.find(m => m.label === 'Q8_0')?.parts).toEqual(REPO.filter(f => f.startsWith('Q8_0/')))
  })

  test.each([
    ['Q4_K_M', 'Q4_K_M'],
    ['q4_k_m', 'Q4_K_M'],
    ['m-Q4_K_M.gguf', 'Q4_K_M'],
    ['Q4_K_XL', 'Q4_K_XL'],
    ['UD-Q4_K_XL', 'UD-Q4_K_XL'],
    ['Q8_0/m-Q8_0-00002-of-00003.gguf', 'Q8_0'],
    ['m-Q8_0-00001-of-00003.gguf', 'Q8_0'],
    ['iq2_xxs', 'IQ2_XXS'],
    ['bf16', 'BF16'],
    [undefined, 'Q4_K_M'],
    ['Q5_K_M', undefined],
    ['K_M', 'Q4_K_M'],
    ['_M', undefined],
    ['', undefined],
  ])('%j means %j', (wanted, expected) => expect(label(REPO, wanted)).toBe(expected))

  it('of one quantisation for two models are named by their files', () => {
    const two = ['a-1b-Q4_K_M.gguf', 'a-7b-Q4_K_M.gguf']
    expect(ggufModels(two).map(m => m.label)).toEqual(['a-1b-Q4_K_M', 'a-7b-Q4_K_M'])
    expect(label(two, 'Q4_K_M')).toBeUndefined()
    expect(label(two)).toBeUndefined()
    expect(label(two, 'a-7b-Q4_K_M.gguf')).toBe('a-7b-Q4_K_M')
  })

  it('with one model need no name', () => {
    expect(label(['model.gguf'])).toBe('model')
    expect(label(['m-Q3_K_L.gguf'])).toBe('Q3_K_L')
    expect(label([])).toBeUndefined()
  })
})
