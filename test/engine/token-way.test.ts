/** How many files one token of a steady text passes through, both threads together. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { TALES } from './tales.ts'

/** As many as there are: docs/log.md says what each is for. */
const MAX_FILES = 25

it('a token passes through few files', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['test/engine/token-way.mjs', TALES])
  const { caller, worker } = JSON.parse(stdout) as { caller: string[]; worker: string[] }
  console.log(`${caller.join('\n')}\n--\n${worker.join('\n')}`)
  expect(worker).toContain('src/engine/loop/step-loop.ts')
  expect(new Set([...caller, ...worker]).size).toBeLessThanOrEqual(MAX_FILES)
})
