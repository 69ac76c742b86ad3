/** The licence that a model card is given is the one that the original's card names. */
import { expect, it } from 'vitest'
import { licenceOf } from '../../src/latentify/licence.ts'
import type { OpenedModel } from '../../src/model/open/opened-model.ts'
import { tempFolder } from '../support/temp-folder.ts'

const opened = { checkpoint: { configFile: 'config.json' } } as OpenedModel

it.each([
  ['---\nlibrary_name: transformers\nlicense: apache-2.0\nlanguage:\n- en\n---\n# A model', 'apache-2.0'],
  ['---\r\nlicense: "mit"\r\n---\r\n', 'mit'],
  ['---\nlicense: other, see below\n---\n', null],
  ['# A model\nlicense: mit\n', null],
  ['---\nlicense_name: mine\n---\n', null],
])('%j', async (card, licence) => {
  expect(await licenceOf(tempFolder({ 'README.md': card }), opened)).toBe(licence)
})

it('no card names none', async () => {
  expect(await licenceOf(tempFolder(), opened)).toBe(null)
})
