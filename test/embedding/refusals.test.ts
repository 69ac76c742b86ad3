/** What cannot be done with an encoder says so, and what can be done instead. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { convertModel } from '../../src/conversion/convert.ts'
import { verifyFolder } from '../../src/inspection/verify/verify.ts'
import { planModelFromJson } from '../../src/planning/read/json.ts'
import { inspectModel, measurePerplexity } from '../../src/tools.ts'
import { tempFolder } from '../support/temp-folder.ts'

const BERT = 'test/fixtures/embeddings/bert'
const message = /A model of type bert is an encoder, .* Use engine\.embed\(\) or latentkit embed/

it('an encoder has no texts to measure, no logits to verify and no other form', async () => {
  await expect(measurePerplexity(BERT, 'the cat sat')).rejects.toThrow(message)
  await expect(convertModel(BERT, join(tempFolder(), 'out.gguf'))).rejects.toThrow(message)
  expect((await verifyFolder(BERT, { kernels: [] })).error).toMatch(message)
  const config = { model_type: 'bert', num_attention_heads: 4, hidden_size: 32, vocab_size: 9 }
  expect(() => planModelFromJson(config)).toThrow('"bert" is an encoder, which keeps no cache')
})

it('an encoder is inspected: vectors, and no cache', async () => {
  const { cache, embedding } = await inspectModel(`${BERT}.gguf`)
  expect(cache).toMatchObject({ bytesPerToken: 0, contexts: [] })
  expect(embedding).toMatchObject({ pooling: 'mean', dimensions: 32, maxTokens: 48 })
})
