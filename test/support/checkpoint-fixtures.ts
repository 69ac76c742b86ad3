/**
 * Point 1 of the work: numbers equal an independent implementation's. Every checkpoint of the fixtures, both paths; on the native kernels three
 * ways of prefill and three cache types, with LATENTKIT_CHECKPOINTS=all (`npm run nightly -- checkpoints`) on WebAssembly's, too, which are
 * made of the same source. A few lie in the project; the others beside it.
 */
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { verifyFolder } from '../../src/inspection/verify/verify.ts'
import { familyFolders } from './all-fixtures.ts'
import { KERNEL_SETS } from './kernel-sets.ts'

const OURS = fileURLToPath(new URL('../fixtures/checkpoints/', import.meta.url))
const SHARED = fileURLToPath(new URL('../../../shared/fixtures/checkpoints/', import.meta.url))

const foldersIn = (root: string) =>
  existsSync(root) ? readdirSync(root).filter(name => existsSync(`${root}${name}/expected.safetensors`)) : []
const ours = foldersIn(OURS)
const shared = foldersIn(SHARED).filter(name => !ours.includes(name))

/** All fixtures on one kernel set. */
export function testCheckpoints(kernels: 'reference' | 'native' | 'wasm'): void {
  const set = KERNEL_SETS.find(s => s.name === kernels) as (typeof KERNEL_SETS)[number]
  // Slow by design: once per path, and greedy text of our own folders only. `latentkit verify` does the rest.
  const slow = kernels === 'reference'
  const few = kernels === 'wasm' && process.env.LATENTKIT_CHECKPOINTS !== 'all'
  const title = set.missing === null ? kernels : `${kernels} (${set.missing})`

  describe.skipIf(set.missing !== null)(`checkpoints against expected numbers on ${title}`, () => {
    for (const [root, name] of [...ours.map(n => [OURS, n]), ...shared.map(n => [SHARED, n])]) {
      it(`${name}`, async () => {
        const report = await verifyFolder(`${root}${name}`, {
          kernels: [set],
          ...(few && { cacheTypes: ['f32', 'f16'], prefills: ['whole'] }),
          ...(slow && { cacheTypes: ['f32'], prefills: ['whole'], greedy: root === OURS }),
        })
        expect(report.error).toBe(null)
        expect(report.rows.filter(r => !r.passed)).toEqual([])
        const paths = report.rows.some(r => r.path === 'absorbed') ? 2 : 1
        expect(report.rows.length).toBe(paths * (slow ? 1 : few ? 2 : 9))
      })
    }
    // The ways differ in nothing that a family adds: f32 caches say it, and `latentkit verify` has them all.
    for (const [name, folder] of familyFolders()) {
      it(`${name}`, async () => {
        const prefills = slow || few ? (['whole'] as const) : (['whole', 'token'] as const)
        const report = await verifyFolder(folder, { kernels: [set], cacheTypes: ['f32'], prefills, greedy: !slow })
        expect(report.error).toBe(null)
        expect(report.rows.filter(r => !r.passed)).toEqual([])
        expect(report.rows.length).toBeGreaterThan(0)
      })
    }
    it.skipIf(shared.length > 0)('12 more checkpoints need ../shared, which is not here', () => {})
  })
}
