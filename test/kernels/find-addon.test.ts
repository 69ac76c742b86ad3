import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { loadAddon } from '../../src/kernels/core/node/find-addon.ts'
import { RECORDS } from '../../src/kernels/core/records-hash.ts'
import { VERSION } from '../../src/version.ts'
import { tempFolder } from '../support/temp-folder.ts'

afterEach(() => vi.unstubAllEnvs())

function addon(exports: object): string {
  const file = join(tempFolder(), 'addon.cjs')
  writeFileSync(file, `module.exports = ${JSON.stringify(exports)}`)
  vi.stubEnv('LATENTKIT_ADDON', file)
  return file
}

it('an addon of this version that reads records of another form is refused, by name', () => {
  const file = addon({ version: VERSION, records: 'of an earlier build' })
  expect(loadAddon).toThrow(`${file} was built from other sources than these; \`npm run build:native\` builds them`)
})

it('an addon of another version is refused, by name', () => {
  addon({ version: '0.0.1', records: RECORDS })
  expect(loadAddon).toThrow(/is of version 0\.0\.1 and this is latentkit/)
})

it('an addon of this version and form is taken', () => {
  addon({ version: VERSION, records: RECORDS })
  expect(loadAddon()).toMatchObject({ version: VERSION })
})
