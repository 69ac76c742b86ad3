/**
 * GGUF files with 8-bit activations, as the engine runs them: not exact, but no further from transformers than llama.cpp
 * is, which rounds its activations in the same way.
 */
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { poolAgreement } from '../../src/inspection/verify/pool.ts'
import { verifyFolder } from '../../src/inspection/verify/verify.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'

const ROOTS = ['../fixtures/gguf/', '../../../shared/fixtures/gguf/'].map(path =>
  fileURLToPath(new URL(path, import.meta.url)),
)
/** By name: a file of the project is not taken a second time from beside it. */
const files = new Map(
  ROOTS.filter(existsSync).flatMap(root => {
    const ggufs = readdirSync(root).filter(file => /(?<!-0000[2-9]-of-\d{5})\.gguf$/.test(file))
    return ggufs.map(file => [file, `${root}${file}`] as const)
  }),
)

for (const set of KERNEL_SETS.filter(({ name }) => name !== 'reference')) {
  const title = set.missing === null ? set.name : `${set.name} (${set.missing})`
  describe.skipIf(set.missing !== null)(`8-bit activations on ${title}`, () => {
    it('agree with transformers as often as llama.cpp does', { timeout: 120_000 }, async () => {
      const options = { arithmetic: ['8-bit'], prefills: ['chunked'] } as const
      const reports = []
      for (const path of files.values()) reports.push(await verifyFolder(path, { kernels: [set], ...options }))
      expect(reports.flatMap(r => r.error ?? [])).toEqual([])
      expect(reports.flatMap(r => r.rows).filter(row => !row.passed)).toEqual([])
      // An f16 cache alone gives at most a third of this: the activations were rounded indeed.
      const rounded = reports.flatMap(r => r.rows).filter(row => row.arithmetic === '8-bit')
      expect(Math.min(...rounded.map(row => row.logitRms))).toBeGreaterThan(0.01)
      const [pooled, ...others] = poolAgreement(reports)
      expect(others).toEqual([])
      // One file has no quantised weights.
      expect(pooled).toMatchObject({ kernels: set.name, files: files.size - 1, held: true, passed: true })
    })
  })
}
