/** What `npm run bench` answers before anything is compiled. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
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

/** A program with llama-bench's options: writes down how it was called and says what it is told to. */
function fakeBench(help: string, tokensPerSecond: number): { program: string; calls: () => string[][] } {
  const folder = tempFolder()
  const program = path.join(folder, 'fake-bench')
  const log = path.join(folder, 'calls')
  writeFileSync(
    program,
    `#!${process.execPath}
const args = process.argv.slice(2)
if (args.includes('--help')) { console.log(${JSON.stringify(help)}); process.exit(0) }
require('node:fs').appendFileSync(${JSON.stringify(log)}, JSON.stringify(args) + '\\n')
console.log('warning: [not JSON]')
console.log(JSON.stringify([{ build_commit: 'abc1234', avg_ts: ${tokensPerSecond} }]))
`,
    { mode: 0o755 },
  )
  return { program, calls: () => lines(readFileSync(log, 'utf8')).map(line => JSON.parse(line) as string[]) }
}

describe('--against', () => {
  it('measures ours beside any program with the options of llama-bench, in alternating order', () => {
    const deep = fakeBench('-n, --n-gen <n>\n-d, --n-depth <n>', 50)
    const flat = fakeBench('-n, --n-gen <n>\n-gp <pp,tg>', 100)
    const against = ['--against', `${deep.program} -fa 1`, '--against', flat.program]
    const run = bench('decode', 'models/tales-mla-8m', '--contexts', '8', '--rounds', '2', '--threads', '1', ...against)
    expect(run.status, run.stderr).toBe(0)
    const report = JSON.parse(lines(run.stdout).at(-1) ?? '') as {
      results: { ours: { median: number }; theirs: { median: number }; ratio: number; other: string }[]
    }
    expect(report.results.map(r => r.theirs.median)).toEqual([50, 100])
    for (const { ours, theirs, ratio } of report.results) expect(ratio).toBeCloseTo(ours.median / theirs.median, 9)
    expect(report.results[0]?.other).toBe('fake-bench -fa 1 (abc1234)')
    expect(
      lines(run.stderr)
        .filter(line => line.startsWith('round'))
        .map(line => line.replace(/:.*/, '')),
    ).toEqual(
      ['round 1, ours', 'round 1, other 1', 'round 1, other 2'].concat([
        'round 2, other 2',
        'round 2, other 1',
        'round 2, ours',
      ]),
    )
    const common = ['-m', 'models/tales-mla-8m', '-t', '1', '-r', '1', '-o', 'json']
    expect(deep.calls()[0]).toEqual([...common, '-fa', '1', '-p', '0', '-n', '16', '-d', '8'])
    expect(flat.calls()[0]).toEqual([...common, '-p', '0', '-n', '0', '-gp', '8,16'])
  }, 180_000)

  it('refuses a program that is not there or is another', () => {
    // As the test before has compiled them.
    const compiled = (name: string, ...args: string[]) =>
      spawnSync(process.execPath, [`dist/bench/${name}.js`, ...args], { cwd: ROOT, encoding: 'utf8' })
    const { status, stderr } = compiled('decode', 'models/tales-mla-8m', '--against', '/nowhere/llama-bench')
    expect(stderr).toMatch(/--against \/nowhere\/llama-bench: .* cannot be run/)
    expect(status).toBe(2)
    const { program } = fakeBench('nothing of the kind', 1)
    expect(compiled('prefill', 'models/tales-mla-8m', '--against', program).stderr).toMatch(
      /none of llama-bench's options/,
    )
  }, 180_000)
})
