/** docs/models.md: its tables are the planner's, its commands name models of the list, and what it says was run is in the tests. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { published, publishedModel } from 'latentkit/planning'
import { expect, it } from 'vitest'
import { filled, TABLES } from '../../scripts/models-table.mjs'
import { FAMILIES } from '../../src/families/index.ts'
import { ROOT } from '../cli/run.ts'

const PAGE = readFileSync(join(ROOT, 'docs/models.md'), 'utf8')

it('has the tables of scripts/models-table.mjs (--write puts them in)', () => {
  expect(PAGE).toBe(filled(PAGE))
  expect(Object.keys(TABLES)).toHaveLength(4)
})

it('recommends models of the list that run', () => {
  const named = [...PAGE.matchAll(/`latentkit chat ([\w.-]+\/[\w.-]+)(?: --weights (\w+))?`/g)].map(m => m[1] as string)
  const names = named.filter(name => !name.startsWith('org/'))
  expect(names.length).toBeGreaterThan(12)
  const runs = FAMILIES.flatMap(({ traits }) => traits.modelTypes)
  const known = published().flatMap(({ hub, alike }) => [hub, ...alike])
  for (const name of names) {
    expect(known).toContain(name)
    expect(runs).toContain(publishedModel(name).modelType)
  }
})

it('leaves a quarter of the memory', () => {
  const rows = [...PAGE.matchAll(/^\| ([\d,]+) GB \| `latentkit.*?` \| ([\d,.]+) (MB|GB) \| ([\d,.]+) (MB|GB) \|/gm)]
  expect(rows.length).toBeGreaterThan(12)
  const bytes = (n = '', unit = '') => Number(n.replaceAll(',', '')) * (unit === 'MB' ? 1e6 : 1e9)
  for (const [row, memory, weights, unit, cache, cacheUnit] of rows) {
    const share = (bytes(weights, unit) + bytes(cache, cacheUnit)) / (Number(memory?.replaceAll(',', '')) * 2 ** 30)
    expect(share, row).toBeLessThan(0.755)
  }
})

it('names tests that are there', () => {
  const files = [...PAGE.matchAll(/`((?:test|src)\/[\w./-]+)`/g)].map(match => match[1] as string)
  expect(files.length).toBeGreaterThan(2)
  for (const file of files) expect(existsSync(join(ROOT, file)), file).toBe(true)
})
