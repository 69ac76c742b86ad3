/** Completion scripts, run by the shells that read them where these are there. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { COMMANDS, latentkit, ROOT } from './run.ts'

const has = (program: string) => spawnSync(program, ['--version']).status === 0
const script = async (shell: string) => {
  const { code, stdout, stderr } = await latentkit(['completion', shell])
  expect([code, stderr]).toEqual([0, ''])
  return join(tempFolder({ script: stdout }), 'script')
}

describe.skipIf(!has('bash'))('bash', () => {
  const completed = (file: string, ...words: string[]) => {
    const list = words.map(w => `'${w}'`).join(' ')
    const run = `source ${file}; COMP_WORDS=(latentkit ${list}); COMP_CWORD=${words.length}; _latentkit; printf '%s\n' "\${COMPREPLY[@]}"`
    return spawnSync('bash', ['-c', run], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean)
  }

  it('completes commands, every flag that help shows, and values', async () => {
    const file = await script('bash')
    expect(completed(file, '')).toEqual(expect.arrayContaining(COMMANDS))
    expect(completed(file, 'ver')).toEqual(['verify'])
    for (const command of COMMANDS) {
      const { stdout } = await latentkit([command, '--help'])
      const options = stdout.slice(stdout.indexOf('Options:'), stdout.indexOf('Examples:'))
      const flags = [...options.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(m => m[1] as string)
      const global = ['--version', '--debug']
      expect(completed(file, command, '--')).toEqual(expect.arrayContaining(flags.filter(f => !global.includes(f))))
    }
    expect(completed(file, 'generate', '--kernels', '')).toEqual(['auto', 'native', 'wasm', 'reference'])
    expect(completed(file, 'cache', '')).toEqual(expect.arrayContaining(['ls', 'rm']))
    // A text or a file: the shell's own business.
    expect(completed(file, 'generate', 'gen')).toEqual([])
    expect(completed(file, 'plan', '--context', '')).toEqual([])
  })
})

describe.skipIf(!has('fish'))('fish', () => {
  it('completes commands, flags with their sentences, and values', async () => {
    const file = await script('fish')
    const completed = (line: string) =>
      spawnSync('fish', ['--no-config', '-c', `source ${file}; complete -C '${line}'`], { encoding: 'utf8' }).stdout
    expect(completed('latentkit ver')).toMatch(/^verify\tcompare a model/m)
    expect(completed('latentkit generate --kern')).toMatch(/^--kernels\t/m)
    expect(completed('latentkit generate --kernels na')).toMatch(/^native\t/m)
  })
})

it.skipIf(!has('zsh'))('zsh reads its script', async () => {
  const { status, stderr } = spawnSync('zsh', ['-fn', await script('zsh')], { encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
})

it('another shell is a sentence', async () => {
  const { code, stderr } = await latentkit(['completion', 'tcsh'])
  expect(stderr).toMatch(/tcsh.*bash, zsh, fish/)
  expect(code).toBe(2)
})

describe('the manual page', () => {
  const page = readFileSync(join(ROOT, 'dist/man/latentkit.1'), 'utf8')

  it('is in package.json, and has every command, variable and exit code', () => {
    const { man, files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect([man, files.includes('dist/man')]).toEqual(['./dist/man/latentkit.1', true])
    for (const command of COMMANDS) expect(page).toContain(`.SS latentkit ${command} `)
    for (const word of ['LATENTKIT_CONFIG', 'HF_ENDPOINT', '\\-\\-max\\-tokens', '.B 130']) expect(page).toContain(word)
    expect(page).toMatch(/^\p{ASCII}*$/u)
  })

  it.skipIf(!has('groff'))('is read by groff without a warning', () => {
    const { stderr, stdout } = spawnSync('groff', ['-man', '-Tutf8', '-ww', join(ROOT, 'dist/man/latentkit.1')])
    expect(String(stderr)).toBe('')
    expect(String(stdout).length).toBeGreaterThan(5000)
  })
})
