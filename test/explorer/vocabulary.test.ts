/** Whether next tokens of two models can be compared id by id. */
import { expect, it } from 'vitest'
import { sameVocabulary } from '../../apps/explorer/view/next/same-vocabulary.ts'

const reading = (...tokens: [number, string][]) => ({ tokens: tokens.map(([id, text]) => ({ id, text })) })

it('vocabularies are the same unless an id or a cut of the two texts says otherwise', () => {
  const one = reading([1, 'the'], [2, ' fox'])
  expect(sameVocabulary(one, one)).toBe(true)
  expect(sameVocabulary(one, reading([1, 'the'], [3, ' dog']))).toBe(true)
  expect(sameVocabulary(one, reading([2, 'the'], [1, ' fox']))).toBe(false)
  expect(sameVocabulary(one, reading([7, 'the'], [8, ' fox']))).toBe(false)
  expect(sameVocabulary(one, reading([1, 'the'], [9, ' f'], [10, 'ox']))).toBe(false)
})
