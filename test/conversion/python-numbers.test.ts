import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { bundledModel } from '../../src/checkpoint/find/bundled-model.ts'
import { convertModel } from '../../src/conversion/convert.ts'
import { openFolder } from '../support/open-folder.ts'
import { tempFolder } from '../support/temp-folder.ts'

it("fields that nobody asks for are kept as they are, Python's numbers and the name of the type too", async () => {
  const place = tempFolder()
  const [before, after] = [join(place, 'before'), join(place, 'after')]
  cpSync(bundledModel(), before, { recursive: true })
  const config = JSON.parse(readFileSync(join(before, 'config.json'), 'utf8'))
  const { torch_dtype: _, ...rest } = config
  const text = JSON.stringify({ ...rest, dtype: 'bfloat16', a: 'A', b: ['B', 'C', '\u0000NaN x'] })
  const written = text.replace('"A"', 'NaN').replace('"B"', '-Infinity').replace('"C"', 'Infinity')
  writeFileSync(join(before, 'config.json'), written)
  await convertModel(before, after, { weights: 'f16' })
  expect(readFileSync(join(after, 'config.json'), 'utf8')).toMatch(/"a": NaN,\s+"b": \[\s+-Infinity,\s+Infinity,/)
  expect((await openFolder(after)).config).toEqual({
    ...rest,
    dtype: 'float16',
    a: Number.NaN,
    b: [-Infinity, Infinity, '\u0000NaN x'],
  })
})
