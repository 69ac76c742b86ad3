/** `npm install latentkit` from packed files, on a machine without a compiler. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { ADDON, Machine, ownCore, packLatentkit, packOwnCore } from './packed.ts'

const { name: CORE, problem: noCore } = ownCore()
const MINUTES = 60_000
const STORY = ['latentkit', 'generate', '--max-tokens', '3', '--temperature', '0', '--json']

let latentkit: string

beforeAll(() => {
  latentkit = packLatentkit()
}, 10 * MINUTES)

/** One installation for the tests of a group, which run in order. */
function onceInstalled(files: () => Promise<readonly string[]>) {
  const machine = new Machine()
  let problem: Promise<string | null> | undefined
  return async (context: TestContext): Promise<Machine> => {
    problem ??= files().then(packed => machine.install(packed))
    const found = await problem
    if (found) context.skip(found)
    return machine
  }
}

describe.skipIf(noCore)(noCore ? `with the core's package (${noCore})` : `with ${CORE}`, () => {
  const installed = onceInstalled(async () => [latentkit, await packOwnCore()])

  it('nothing is compiled, the native kernels run, and npm rebuild changes nothing', {
    timeout: 5 * MINUTES,
  }, async c => {
    const machine = await installed(c)
    const folder = join(machine.folder, 'node_modules', 'latentkit')
    const story = async () => JSON.parse((await machine.run('npx', STORY)).stdout)
    expect(machine.installed).not.toMatch(/WebAssembly|could not be built/)
    expect(existsSync(join(folder, 'build'))).toBe(false)
    expect((await story()).kernels).toMatchObject({ name: 'native', fallbackReason: null })

    expect((await machine.run('npm', ['rebuild', 'latentkit'])).code).toBe(0)
    expect(existsSync(join(folder, 'build'))).toBe(false)

    machine.write('esm.mjs', `import { Engine, VERSION } from 'latentkit'\nconsole.log(VERSION, typeof Engine.load)`)
    machine.write(
      'plain.cjs',
      `const { Engine, VERSION } = require('latentkit')\nconsole.log(VERSION, typeof Engine.load)`,
    )
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    for (const file of ['esm.mjs', 'plain.cjs']) {
      expect((await machine.run('node', [file])).stdout).toBe(`${version} function\n`)
    }
  })

  it('a core of another version is refused in a sentence, and WebAssembly runs', { timeout: 5 * MINUTES }, async c => {
    const machine = await installed(c)
    const manifest = join('node_modules', '@latentkit', CORE, 'package.json')
    const core = JSON.parse(readFileSync(join(machine.folder, manifest), 'utf8'))
    machine.write(manifest, JSON.stringify({ ...core, version: '0.0.1' }))
    const { stdout } = await machine.run('npx', STORY)
    expect(JSON.parse(stdout).kernels.fallbackReason).toMatch(
      /@latentkit\/core-.* is of version 0\.0\.1 and this is latentkit .*; `npm rebuild latentkit` builds them/,
    )
    // The compiled file says its version too.
    const main = join('node_modules', '@latentkit', CORE, 'latentkit.node')
    machine.write(manifest, JSON.stringify({ ...core, main: 'fake.cjs' }))
    machine.write(main, readFileSync(ADDON).toString('latin1').slice(0, 1000))
    const broken = JSON.parse((await machine.run('npx', STORY)).stdout)
    expect(broken.kernels).toMatchObject({ name: 'wasm', fallbackReason: expect.stringMatching(/cannot be loaded/) })
  })
})

describe("without the core's package", () => {
  const installed = onceInstalled(async () => [latentkit])

  it('WebAssembly runs, and it is said what would build the native kernels', {
    timeout: 5 * MINUTES,
  }, async context => {
    const machine = await installed(context)
    const story = JSON.parse((await machine.run('npx', STORY)).stdout)
    expect(story.kernels.name).toBe('wasm')
    expect(story.kernels.fallbackReason).toMatch(/`npm rebuild latentkit` builds them/)
    const rebuilt = await machine.run('npm', ['rebuild', 'latentkit', '--foreground-scripts'])
    expect(rebuilt.stdout).toMatch(/could not be built \(g\+\+ cannot be run.*\); WebAssembly will be used instead/)
    expect(rebuilt.code).toBe(0)

    const skipped = await machine.run('npm', ['rebuild', 'latentkit', '--foreground-scripts'], {
      LATENTKIT_SKIP_BUILD: '1',
    })
    expect(skipped.stdout).toMatch(/not built \(LATENTKIT_SKIP_BUILD=1\)/)
  })

  it.skipIf(noCore)(
    'where a compiler is, npm rebuild builds from the sources of the package',
    { timeout: 5 * MINUTES },
    async context => {
      const machine = await installed(context)
      // Every source must be there; the result is the addon that the tests have anyway.
      machine.addCompiler(`for last; do :; done
case "$*" in
  *-shared*) /bin/cp ${ADDON} "$last" ;;
  *) while [ "$1" != -c ]; do shift; done; [ -s "$2" ] && : > "$last" ;;
esac`)
      expect((await machine.run('npm', ['rebuild', 'latentkit'])).code).toBe(0)
      const built = join(machine.folder, 'node_modules', 'latentkit', 'build', 'latentkit.node')
      expect(statSync(built).size).toBe(statSync(ADDON).size)
      const { kernels } = JSON.parse((await machine.run('npx', STORY)).stdout)
      expect(kernels).toMatchObject({ name: 'native', fallbackReason: null })
    },
  )
})
