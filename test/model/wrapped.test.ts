/** The language model inside a model that sees: its tensors under their own names, the others left aside with a sentence. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { textPart, textTensors } from '../../src/model/open/text-part.ts'
import { planModelFromJson } from '../../src/planning/read/json.ts'
import { tempFolder } from '../support/temp-folder.ts'

const KIMI = fileURLToPath(new URL('../fixtures/families/kimi-k25', import.meta.url))
const config = () => JSON.parse(readFileSync(join(KIMI, 'config.json'), 'utf8'))

function folderWith(json: object): string {
  const folder = tempFolder()
  writeFileSync(join(folder, 'model.safetensors'), readFileSync(join(KIMI, 'model.safetensors')))
  writeFileSync(join(folder, 'config.json'), JSON.stringify(json))
  return folder
}

it('opens as the language model', async () => {
  const { checkpoint, config: read } = await openModel(KIMI)
  expect(read.modelType).toBe('kimi_k2')
  expect(checkpoint.has('model.embed_tokens.weight')).toBe(true)
  expect([...checkpoint.tensors.keys()].filter(name => /vision|project/.test(name))).toEqual([])
  const [warning] = checkpoint.warnings
  expect(warning).toMatch(
    /^Of "kimi_k25" the language model \(text_config, "kimi_k2"\) is run, without pictures or sound; \d+ tensors of other parts \(.*"vision_tower".*\), [\d,]+ bytes, are left aside$/,
  )
})

it('takes what stands beside the parts, unless the part says otherwise', async () => {
  const { eos_token_id: _, ...text } = config().text_config
  const outer = { ...config(), eos_token_id: [5, 6], tie_word_embeddings: true }
  expect((await openModel(folderWith({ ...outer, text_config: text }))).config.eosTokenIds).toEqual([5, 6])
  const inner = { ...text, eos_token_id: 7, tie_word_embeddings: false }
  const { config: read } = await openModel(folderWith({ ...outer, text_config: inner }))
  expect([read.eosTokenIds, read.tiedEmbeddings]).toEqual([[7], false])
})

it.each([
  // [the whole, the part, is there an output] as transformers ties them
  [undefined, false, false, true],
  [true, false, false, true],
  [false, false, false, false],
  [true, false, true, false],
  [true, true, true, true],
  [false, true, true, false],
])(
  'the output is the embedding: %s beside a part that says %s, with an output of its own: %s',
  (whole, inside, own, tied) => {
    const json = { model_type: 'mistral3', tie_word_embeddings: whole, text_config: { tie_word_embeddings: inside } }
    const part = textPart(JSON.parse(JSON.stringify(json)), 'config.json')
    const bytes = { source: memorySource('a file', new Uint8Array(2)), offset: 0, length: 2 }
    const output = { name: 'language_model.lm_head.weight', dtype: 'BF16', shape: [1, 1], bytes } as const
    const { config } = textTensors('mistral3', part, new Map(own ? [[output.name, output]] : []), undefined)
    expect(config.tie_word_embeddings).toBe(tied)
  },
)

it('says where nothing is inside, and how the weights are quantised', async () => {
  const { text_config: text, ...rest } = config()
  await expect(openModel(folderWith(rest))).rejects.toThrow('"text_config" is missing; expected a JSON object')
  const quantized = { ...text, quantization_config: { quant_method: 'compressed-tensors' } }
  const { checkpoint } = await openModel(folderWith({ ...rest, text_config: quantized }))
  expect(() => checkpoint.matrix('model.no_such.weight', 1, 1)).toThrow('is quantised with "compressed-tensors"')
})

it('is planned by the same sizes, as a whole or as its part', () => {
  const whole = planModelFromJson(config())
  const part = planModelFromJson(config().text_config)
  expect(whole.layers).toEqual(part.layers)
})
