import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { ROOT } from './run.ts'

const run = (file: string) => execFileSync(process.execPath, [`examples/${file}`], { cwd: ROOT, encoding: 'utf8' })
const RUNS_TYPESCRIPT = 'typescript' in process.features && process.features.typescript !== false

describe('the examples run as they are', () => {
  it('story.mjs', () => expect(run('story.mjs')).toMatch(/\d+ tokens are remembered in \d+ bytes\n$/))

  it('chat.mjs', () => expect(run('chat.mjs')).toMatch(/\([1-9]\d* of \d+ tokens were still known\)/))

  it.skipIf(!RUNS_TYPESCRIPT)('generate.ts (needs a Node that runs TypeScript)', () => {
    expect(run('generate.ts')).toMatch(/^I'm very naughty, .*\nstop after \d+ tokens/)
  })
})
