/** What the compiled cores ask of a machine, and that the one for arm64 computes: under qemu, where that is installed. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { glibcOf } from '../../scripts/package.mjs'
import { VERSION } from '../../src/version.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { ADDON, ROOT } from './packed.ts'

const ARM64 = join(ROOT, 'build', 'linux-arm64', 'latentkit.node')
/** `.ci/run` puts it there: Node for arm64 from its npm package. */
const ARM64_NODE = join(ROOT, 'build', 'linux-arm64', 'node', 'bin', 'node')
const SYSROOT = '/usr/aarch64-linux-gnu'

const has = (program: string) => !spawnSync(program, ['--version']).error
const addons = { 'this machine': ADDON, 'linux-arm64': ARM64 }

describe.each(Object.entries(addons))('the addon for %s', (_, addon) => {
  const problem = addonProblem(addon)
  const why = problem ? ` (${problem})` : ''

  it.skipIf(problem)(`runs with the oldest glibc that Node does, and needs no other library${why}`, () => {
    const [major, minor] = glibcOf(addon)
    expect(major).toBe(2)
    expect(minor).toBeLessThanOrEqual(28)
    const { stdout } = spawnSync('readelf', ['-d', addon], { encoding: 'utf8' })
    const needed = [...stdout.matchAll(/NEEDED.*\[(.*)\]/g)].map(match => match[1])
    for (const library of needed) expect(library).toMatch(/^(libc|libpthread|libm|ld-linux-\w+)\.so/)
  })
})

function addonProblem(addon: string): string | null {
  if (process.platform !== 'linux') return 'only Linux has a glibc'
  if (!existsSync(addon)) return 'not built; `npm run package` builds it'
  return has('objdump') && has('readelf') ? null : 'objdump is not installed'
}

describe('the core for arm64', () => {
  const lacks = [
    existsSync(ARM64) ? null : 'it is not built',
    existsSync(ARM64_NODE) ? null : 'Node for arm64 is not there',
    has('qemu-aarch64') && existsSync(SYSROOT) ? null : 'qemu-aarch64 or its C library is not installed',
  ].filter(lack => lack !== null)
  const skipped = lacks.length > 0

  it.skipIf(skipped)(
    `tells the story of the other cores${lacks.map(lack => ` (${lack})`).join('')}`,
    {
      timeout: 300_000,
    },
    () => {
      const folder = tempFolder()
      for (const part of ['dist', 'package.json']) cpSync(join(ROOT, part), join(folder, part), { recursive: true })
      symlinkSync(join(ROOT, 'models'), join(folder, 'models'))
      mkdirSync(join(folder, 'node_modules', '@latentkit'), { recursive: true })
      for (const name of ['@huggingface', 'commander', 'picocolors']) {
        symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
      }
      const core = join(folder, 'node_modules', '@latentkit', 'core-linux-arm64')
      mkdirSync(core)
      cpSync(ARM64, join(core, 'latentkit.node'))
      writeFileSync(join(core, 'package.json'), JSON.stringify({ version: VERSION }))
      const story = (program: string, before: readonly string[], folder: string) => {
        const main = join(folder, 'dist', 'apps', 'cli', 'main.js')
        const args = ['generate', '--max-tokens', '8', '--temperature', '0', '--no-disk-cache', '--json']
        const run = spawnSync(program, [...before, main, ...args], { encoding: 'utf8' })
        if (run.status !== 0) throw new Error(run.stderr)
        return JSON.parse(run.stdout)
      }
      const arm64 = story('qemu-aarch64', ['-L', SYSROOT, ARM64_NODE], folder)
      expect(arm64.kernels).toMatchObject({ name: 'native', isa: 'neon' })
      expect(arm64.text).toBe(story(process.execPath, [], ROOT).text)
    },
  )
})
