/**
 * Point 1 of the work: numbers equal an independent implementation's. Every checkpoint of the fixtures, on every kernel
 * set, both paths, three ways of prefill, three cache types. A few lie in the project; the others beside it.
 */
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { verifyFolder } from '../../src/engine/verify/verify.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'

const OURS = fileURLToPath(new URL('../fixtures/checkpoints/', import.meta.url))
const SHARED = fileURLToPath(new URL('../../../shared/fixtures/checkpoints/', import.meta.url))
/** A later issue's. */
const NOT_YET = ['marian-encoder-decoder']

const foldersIn = (root: string) =>
  existsSync(root) ? readdirSync(root).filter(name => existsSync(`${root}${name}/expected.safetensors`)) : []
const ours = foldersIn(OURS)
const shared = foldersIn(SHARED).filter(name => !ours.includes(name) && !NOT_YET.includes(name))

describe('checkpoints against expected numbers', () => {
  for (const set of KERNEL_SETS) {
    for (const [root, name] of [...ours.map(n => [OURS, n]), ...shared.map(n => [SHARED, n])]) {
      it.skipIf(set.missing !== null)(`${name} on ${set.name}`, async () => {
        const slow = set.name === 'reference'
        const report = await verifyFolder(`${root}${name}`, {
          kernels: [set],
          ...(slow && { cacheTypes: ['f32'], prefills: ['whole'] }),
        })
        expect(report.error).toBe(null)
        expect(report.rows.filter(r => !r.passed)).toEqual([])
        const paths = report.rows.some(r => r.path === 'absorbed') ? 2 : 1
        expect(report.rows.length).toBe(slow ? paths : paths * 9)
      })
    }
  }

  it.skipIf(shared.length > 0)('12 more checkpoints need ../shared, which is not here', () => {})
})
