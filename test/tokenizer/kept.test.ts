/** What a tokenizer remembers of texts takes the memory of what it remembers, not of the texts. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { bundledModel } from '../../src/checkpoint/find/bundled-model.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { readJson } from './load.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Of each text. */
const LENGTH = 100_000
const TEXTS = 20

test('long words at the beginning of long texts', () => {
  const t = createTokenizer({ tokenizer: readJson(`${bundledModel()}/tokenizer.json`), folder: 'm/' })
  const bytesAfter = (first: number) => {
    for (let i = first; i < first + TEXTS; i++) t.encode(`${`${i}`.padStart(20, '7')} ${'word '.repeat(LENGTH / 5)}`)
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = bytesAfter(0)
  expect(bytesAfter(TEXTS) - before).toBeLessThan((TEXTS * LENGTH) / 3)
})
