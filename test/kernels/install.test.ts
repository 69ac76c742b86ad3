import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const CORE = `@latentkit/core-${process.platform}-${process.arch}`
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** What the hook needs of a package, and of a clone where `clone` says so. */
function place(clone: boolean): string {
  const folder = tempFolder()
  const parts = ['native', 'scripts', 'package.json', ...(clone ? ['tsconfig.build.json'] : [])]
  for (const part of parts) cpSync(join(root, part), join(folder, part), { recursive: true })
  return folder
}

/** A platform package whose addon is a script, so that the hook can be tested where there is no compiler. */
function addCore(folder: string, packageVersion: string, code: string): void {
  const core = join(folder, 'node_modules', CORE)
  mkdirSync(core, { recursive: true })
  writeFileSync(join(core, 'package.json'), JSON.stringify({ name: CORE, version: packageVersion, main: 'core.cjs' }))
  writeFileSync(join(core, 'core.cjs'), code)
}

async function hook(folder: string, env: Record<string, string> = {}) {
  const done = promisify(execFile)(process.execPath, [join(folder, 'scripts/install-native.mjs')], {
    env: { ...process.env, CXX: join(folder, 'no-compiler'), ...env },
  })
  return done.then(
    ({ stdout }) => ({ code: 0, lines: stdout.trim().split('\n'), error: '' }),
    ({ code, stdout, stderr }) => ({ code, lines: stdout.trim().split('\n'), error: stderr.trim() }),
  )
}

describe('the install hook', () => {
  it('succeeds without a compiler, and says what is used instead', async () => {
    const folder = place(false)
    const { code, lines } = await hook(folder)
    expect(code).toBe(0)
    expect(lines.length).toBe(2)
    expect(lines[0]).toMatch(/could not be built \(.*\); WebAssembly will be used instead/)
    expect(lines[1]).toMatch(/`npm rebuild latentkit`/)
    expect(existsSync(join(folder, 'build', 'latentkit.node'))).toBe(false)
  })

  it('names the script that a clone has', async () => {
    const folder = place(true)
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const { lines } = await hook(folder)
    expect(lines[0]).toMatch(/no-compiler cannot be run/)
    expect(lines[1]).toMatch(/`npm run build:native`/)
  })

  it('takes the platform package and builds nothing', async () => {
    const folder = place(false)
    addCore(folder, version, `module.exports = { version: ${JSON.stringify(version)} }`)
    expect(await hook(folder)).toEqual({ code: 0, lines: [''], error: '' })
  })

  it.each([
    ['whose package is of another version', '0.0.9', `module.exports = { version: ${JSON.stringify(version)} }`],
    ['whose addon is of another version', version, `module.exports = { version: '0.0.9' }`],
    ['whose addon does not load', version, `throw new Error('GLIBC_9.99 not found')`],
  ])('does not take one %s', async (_, packageVersion, code) => {
    const folder = place(false)
    addCore(folder, packageVersion, code)
    const { lines } = await hook(folder)
    expect(lines.join('\n')).toMatch(/could not be built/)
    if (code.includes('GLIBC')) expect(lines[0]).toMatch(/core-.* cannot be used here: GLIBC_9\.99 not found/)
  })

  it('LATENTKIT_SKIP_BUILD leaves out the build', async () => {
    const folder = place(false)
    const { code, lines } = await hook(folder, { LATENTKIT_SKIP_BUILD: '1' })
    expect({ code, lines }).toEqual({ code: 0, lines: [expect.stringMatching(/not built \(LATENTKIT_SKIP_BUILD=1\)/)] })
    for (const off of ['', '0']) {
      const { lines } = await hook(folder, { LATENTKIT_SKIP_BUILD: off })
      expect(lines[0]).toMatch(/could not be built/)
    }
  })

  it('a clone without the development packages is told so at once', async () => {
    const folder = place(true)
    const { code, error } = await hook(folder)
    expect(code).toBe(1)
    expect(error).toMatch(/NODE_ENV=production.*`npm ci --include=dev`/)
    expect(existsSync(join(folder, 'build'))).toBe(false)
  })
})
