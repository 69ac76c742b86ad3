/** The packed file in other people's hands: what it contains, and how type checkers, bundlers and CommonJS see it. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import * as attw from '@arethetypeswrong/core'
import { build } from 'esbuild'
import { publint } from 'publint'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CORES } from '../../scripts/package.mjs'
import { prose } from '../docs/blocks.ts'
import { packLatentkit, ROOT } from './packed.ts'

const project = mkdtempSync(join(tmpdir(), 'latentkit-consumer-'))
const installed = join(project, 'node_modules', 'latentkit')
const BUILT = join(ROOT, 'dist', 'src', 'index.js')
let builtBefore: number
let tarball: string

/** A project that depends on the packed file, laid out as npm does. */
beforeAll(() => {
  builtBefore = statSync(BUILT).mtimeMs
  tarball = packLatentkit()
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['xzf', tarball, '--strip-components=1', '-C', installed])
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  // A scope is one folder.
  const folders = new Set(Object.keys(dependencies).map(name => name.split('/', 1)[0] as string))
  for (const name of [...folders, '@types', 'undici-types']) {
    const target = join(ROOT, 'node_modules', name)
    if (existsSync(target)) symlinkSync(target, join(project, 'node_modules', name))
  }
}, 600_000)

afterAll(() => rmSync(project, { recursive: true, force: true }))

const files = () => readdirSync(installed, { recursive: true, encoding: 'utf8' }).sort()
const read = (file: string) => readFileSync(join(installed, file), 'utf8')
const write = (file: string, content: string) => {
  writeFileSync(join(project, file), content)
  return join(project, file)
}
const node = (file: string) => spawnSync(process.execPath, [file], { cwd: project, encoding: 'utf8' })

/** Loads and writes: the thread, its script and WebAssembly's module are found. */
const PROGRAM = `
async function main() {
  const engine = await Engine.load(bundledModel(), { kernels: 'wasm', threads: 1 })
  const { text } = await engine.generate('Once upon a time', { maxTokens: 2, temperature: 0 })
  console.log('text:' + text)
  await engine.dispose()
}
main().catch(error => { console.log(error.code, error.message); process.exit(1) })
`

it('packing does not build anew under those who use dist', () => {
  expect(statSync(BUILT).mtimeMs).toBe(builtBefore)
})

describe('the packed file', () => {
  it('has what README and docs name, and no numbers of tests', () => {
    const has = new Set(files())
    for (const file of ['LICENSE', 'CHANGELOG.md', 'docs/api.md', 'examples/chat.mjs', 'dist/src/index.d.ts']) {
      expect(has).toContain(file)
    }
    expect([...has].filter(file => /^models\/.*expected|\.test\.|^(test|bench|src)\//.test(file))).toEqual([])
  })

  it('has no dead link', () => {
    const pages = files().filter(file => /^(README|CHANGELOG|CONTRIBUTING|docs\/.*|models\/.*)\.md$/.test(file))
    expect(pages.length).toBeGreaterThan(10)
    const dead = pages.flatMap(page =>
      [...read(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => normalize(join(dirname(page), target as string)))
        .filter(target => !existsSync(join(installed, target)))
        .map(target => `${page} -> ${target}`),
    )
    expect(dead).toEqual([])
  })

  it('has every page that a hover text or a message names', () => {
    const code = files().filter(file => /^dist\/.*\.(js|d\.ts)$/.test(file))
    const named = new Set(code.flatMap(file => read(file).match(/docs\/[\w-]+\.md/g) ?? []))
    expect(named.size).toBeGreaterThan(5)
    for (const page of named) expect(existsSync(join(installed, page)), page).toBe(true)
  })

  it('has source maps with their sources, and nothing of a source that is gone', () => {
    // The bundler's own helpers have no source, nor has what only passes on what lies in other files.
    const scripts = files().filter(file =>
      /^dist\/(?!apps\/(page|explorer)\/).*(?<!rolldown-runtime|usingCtx)\.js$/.test(file),
    )
    for (const file of scripts) {
      if (/^dist\/bundled\//.test(file) && /^(?:(?:import|export)\b[^;]*;\s*)+$/.test(read(file))) continue
      const { sourcesContent } = JSON.parse(read(`${file}.map`))
      expect(sourcesContent[0].length, file).toBeGreaterThan(0)
      if (/^dist\/(bundled|browser)\//.test(file)) continue
      expect(existsSync(join(ROOT, file.replace(/^dist\//, '').replace(/\.js$/, '.ts'))), file).toBe(true)
    }
  })

  it('depends on each core at its own version, and brings no development tools', () => {
    const { version, optionalDependencies, devDependencies, scripts } = JSON.parse(read('package.json'))
    expect(optionalDependencies).toEqual(
      Object.fromEntries(Object.keys(CORES).map(name => [`@latentkit/${name}`, version])),
    )
    expect(devDependencies).toBeUndefined()
    expect(Object.keys(scripts)).toEqual(['install'])
  })

  it('is clean for publint and, as ESM, for attw', { timeout: 120_000 }, async () => {
    const bytes = readFileSync(tarball)
    const { messages } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer } })
    expect(messages).toEqual([])
    const checked = await attw.checkPackage(attw.createPackageFromTarballData(new Uint8Array(bytes)))
    // ESM only: Node's old resolution has no subpaths, and CommonJS without require of ESM answers TS1479 (docs/api.md).
    const asEsm = checked.types ? checked.problems : [{ kind: 'no types' }]
    const foreign = (problem: object) =>
      ('resolutionKind' in problem && problem.resolutionKind === 'node10') ||
      ('kind' in problem && problem.kind === 'CJSResolvesToESM')
    expect(asEsm.filter(problem => !foreign(problem))).toEqual([])
  })
})

it.each(['story.mjs', 'chat.mjs'])("the package's example %s runs in a user's project", example => {
  const { stdout, stderr, status } = node(join(installed, 'examples', example))
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  expect(stdout).toMatch(/tokens (are remembered|were still known)/)
})

it('WebAssembly of the package trains, with a module of its own', () => {
  const file = write(
    'train.mjs',
    `import { bundledModel } from 'latentkit'
    import { gradients } from 'latentkit/training'
    const { loss } = await gradients(bundledModel(), [{ tokens: [1, 2, 3], targets: [2, 3, 4] }], { kernels: 'wasm', threads: 1 })
    console.log('loss:' + loss)`,
  )
  const { stdout, stderr } = node(file)
  expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^loss:\d+\.\d+\n$/), stderr: '' })
})

describe('bundlers', () => {
  const entry = () => write('entry.mjs', `import { bundledModel, Engine } from 'latentkit'\n${PROGRAM}`)

  it('esbuild with latentkit external runs, as ESM and as CommonJS', { timeout: 120_000 }, async () => {
    for (const format of ['esm', 'cjs'] as const) {
      const outfile = join(project, format === 'esm' ? 'external.mjs' : 'external.cjs')
      await build({ entryPoints: [entry()], bundle: true, platform: 'node', format, external: ['latentkit'], outfile })
      expect(node(outfile).stdout).toMatch(/^text:./)
    }
  })

  it('rolldown with latentkit external runs', { timeout: 120_000 }, async () => {
    const bundle = await rolldown({ input: entry(), platform: 'node', external: ['latentkit'], logLevel: 'silent' })
    await bundle.write({ file: join(project, 'rolled.mjs'), format: 'esm' })
    await bundle.close()
    expect(node(join(project, 'rolled.mjs')).stdout).toMatch(/^text:./)
  })

  it('what is packed into a bundle fails with a sentence that names the remedy', { timeout: 120_000 }, async () => {
    for (const format of ['esm', 'cjs'] as const) {
      const outfile = join(project, format === 'esm' ? 'inside.mjs' : 'inside.cjs')
      // The model's path is the package's, too: of a bundle nothing of it is left.
      const source = `import { Engine } from 'latentkit'\nconst bundledModel = () => ${JSON.stringify(join(installed, 'models/tales-mla-8m'))}\n${PROGRAM}`
      const input = write('inside.ts', source)
      await build({ entryPoints: [input], bundle: true, platform: 'node', format, outfile, logLevel: 'silent' })
      const { stdout, status } = node(outfile)
      expect(stdout).toMatch(/^worker .*keep latentkit out of the bundle \(esbuild: --external:latentkit/)
      expect(status).toBe(1)
    }
  })
})

describe('CommonJS', () => {
  const check = (module: string, source: string, ...more: readonly string[]) => {
    write('package.json', '{ "name": "consumer", "private": true }')
    const file = write('consumer.ts', source)
    const options = [
      '--module',
      module,
      '--strict',
      '--exactOptionalPropertyTypes',
      '--types',
      'node',
      '--noEmit',
      ...more,
    ]
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    return spawnSync(process.execPath, [tsc, ...options, file], { cwd: project, encoding: 'utf8' }).stdout
  }
  const USE = `const load: (source: string) => Promise<object> = latentkit.Engine.load\nvoid load`

  it('TypeScript takes require with nodenext, and import() with node16', { timeout: 300_000 }, () => {
    // Our own declarations hold under the strictest options, too.
    expect(check('nodenext', `import latentkit = require('latentkit')\n${USE}`)).toBe('')
    expect(check('node16', `import latentkit = require('latentkit')\n${USE}`, '--skipLibCheck')).toMatch(
      /TS1479|TS1471/,
    )
    expect(
      check(
        'node16',
        `async function f() {\n  const latentkit = await import('latentkit')\n${USE}\n}\nvoid f`,
        '--skipLibCheck',
      ),
    ).toBe('')
  })

  it('require runs', () => {
    const file = write('plain.cjs', `const { bundledModel, Engine } = require('latentkit')\n${PROGRAM}`)
    expect(node(file).stdout).toMatch(/^text:./)
  })
})

it('no page of the docs promises another version of Node than package.json', () => {
  const { engines } = JSON.parse(read('package.json'))
  expect(engines.node).toBe('>=20.19')
  for (const page of ['README.md', 'docs/install.md']) {
    const named = prose(page).flatMap(({ line }) => line.match(/Node >= [\d.]+|Node [\d.]+\d or later/g) ?? [])
    expect(named.length).toBeGreaterThan(0)
    for (const text of named) expect(text).toMatch(/20\.19/)
  }
})
