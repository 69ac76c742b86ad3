/** The licence that a model card is given is the one that the original's card names. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { licenceOf } from '../../src/latentify/licence.ts'
import type { OpenedModel } from '../../src/model/open/opened-model.ts'
import { writeGguf } from '../support/gguf-writer.ts'
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

it('a GGUF file that names none has that of the card beside it in the cache of the hub, and no other', async () => {
  const gguf = writeGguf({ metadata: { 'general.architecture': ['string', 'llama'] } })
  const files = { 'm.gguf': gguf, 'README.md': '---\nlicense: mit\n---\n' }
  const licence = (folder: string) => {
    const file = join(folder, 'm.gguf')
    return licenceOf(file, { checkpoint: { configFile: file } } as OpenedModel)
  }
  expect(await licence(tempFolder(files))).toBe(null)
  const cached = 'models--org--tiny/snapshots/abc'
  const inCache = tempFolder(Object.fromEntries(Object.entries(files).map(([name, it]) => [`${cached}/${name}`, it])))
  expect(await licence(join(inCache, cached))).toEqual(plain('mit'))
})

it('no card names none', async () => {
  expect(await licenceOf(tempFolder(), opened)).toBe(null)
})
