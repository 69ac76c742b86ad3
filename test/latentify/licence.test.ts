/** The licence that a model card is given is the one that the original's card names. */
import { expect, it } from 'vitest'
import { licenceOf } from '../../src/latentify/licence.ts'
import type { OpenedModel } from '../../src/model/open/opened-model.ts'
import { tempFolder } from '../support/temp-folder.ts'

const opened = { checkpoint: { configFile: 'config.json' } } as OpenedModel

const plain = (id: string) => ({ id, name: null, link: null })

it.each([
  ['---\nlibrary_name: transformers\nlicense: apache-2.0\nlanguage:\n- en\n---\n# A model', plain('apache-2.0')],
  ['---\r\nlicense: "mit"  # of the code\r\nlicense_name: none\r\n---\r\n', plain('mit')],
  ['---\nlicense: other, see below\n---\n', null],
  ['# A model\nlicense: mit\n', null],
  ['---\nlicense_name: mine\n---\n', null],
  [
    "---\nlicense: other\nlicense_name: 'deep-seek'\nlicense_link: https://example.org/LICENSE#two\n---\n",
    { id: 'other', name: 'deep-seek', link: 'https://example.org/LICENSE#two' },
  ],
  ['---\nlicense: other\nlicense_name: two words\nlicense_link: LICENSE\n---\n', plain('other')],
])('%j', async (card, licence) => {
  expect(await licenceOf(tempFolder({ 'README.md': card }), opened)).toEqual(licence)
})

it('no card names none', async () => {
  expect(await licenceOf(tempFolder(), opened)).toBe(null)
})
