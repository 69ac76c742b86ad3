/** What `npm run bench` answers before anything is compiled. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lines, ROOT } from './run.ts'

const BENCHES = readdirSync(`${ROOT}/bench`)
  .filter(file => file.endsWith('.ts'))
  .map(file => file.slice(0, -3))

const bench = (...args: string[]) =>
  spawnSync(process.execPath, ['scripts/bench.mjs', ...args], { cwd: ROOT, encoding: 'utf8' })

describe('benches', () => {
  it('are all listed, with what they are about', () => {
    const { status, stdout } = bench('--help')
    for (const name of BENCHES) expect(stdout).toMatch(new RegExp(`^  ${name} +\\w.*`, 'm'))
    expect(status).toBe(0)
    expect(bench().status).toBe(2)
  })

  it.each(BENCHES)('%s says how it is called', name => {
    const { status, stdout } = bench(name, '--help')
    expect(stdout).toContain(`npm run bench -- ${name}`)
    expect(status).toBe(0)
  })

  it('refuse what they do not know', () => {
    const { status, stderr } = bench('soak', '--minuts', '5')
    expect(stderr).toMatch(/bench soak has no option --minuts: expected --minutes, --kernels, --seed/)
    expect(lines(stderr)).toHaveLength(1)
    expect(status).toBe(2)
    expect(bench('sokes').stderr).toMatch(/there is no bench "sokes"/)
  })
})
