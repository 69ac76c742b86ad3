// Makes what is published: latentkit itself and, for each platform that can be built here, the package of its compiled
// core, as files that `npm install` and `npm publish` take:
//   npm run package -- [--out FOLDER] [--only NAME]...
// NAME is latentkit or a core such as core-linux-x64; default: latentkit, this machine's core, and on Linux the other
// one where its cross compiler is installed. The list of cores gets into package.json only here: until they are
// published, `npm ci` of a clone would look for them in vain.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { buildNative } from './build-native.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))

/** Platforms whose core is published. `cross` is Debian's name of the tools that build it elsewhere. */
export const CORES = {
  'core-linux-x64': { os: 'linux', cpu: 'x64', libc: 'glibc', cross: 'x86_64-linux-gnu' },
  'core-linux-arm64': { os: 'linux', cpu: 'arm64', libc: 'glibc', cross: 'aarch64-linux-gnu' },
  'core-darwin-x64': { os: 'darwin', cpu: 'x64' },
  'core-darwin-arm64': { os: 'darwin', cpu: 'arm64' },
}

/** The glibc that Node's own builds need. */
const OLDEST_GLIBC = [2, 28]

export const isNative = ({ os, cpu }) => os === process.platform && cpu === process.arch

/** Whether a core can be built here; else why not. */
export function coreProblem(core) {
  if (isNative(core)) return null
  if (core.os !== process.platform || core.os !== 'linux') return `it is built on ${core.os} only`
  const compiler = `${core.cross}-g++`
  return spawnSync(compiler, ['--version']).error ? `${compiler} is not installed` : null
}

function buildCore(core) {
  if (isNative(core)) return buildNative()
  const folder = path.join(root, 'build', `${core.os}-${core.cpu}`)
  return buildNative({ arch: core.cpu, compiler: `${core.cross}-g++`, folder })
}

/** Strips a core and packs it into `out`; `built` is its addon where there is one. Returns the name of the file. */
export async function packCore(name, out, built) {
  const core = CORES[name]
  built ??= await buildCore(core)
  return staged(folder => {
    const addon = path.join(folder, 'latentkit.node')
    cpSync(built, addon)
    // Elsewhere a file's signature would be lost.
    if (core.os === 'linux') {
      run(isNative(core) ? 'strip' : `${core.cross}-strip`, ['--strip-unneeded', addon])
      checkGlibc(addon)
    }
    const { version, license, engines } = manifest
    writePackage(folder, {
      name: `@latentkit/${name}`,
      version,
      description: `The compiled core of latentkit for ${core.os} on ${core.cpu}; latentkit installs it by itself`,
      license,
      os: [core.os],
      cpu: [core.cpu],
      ...(core.libc && { libc: [core.libc] }),
      engines,
      type: 'commonjs',
      main: 'latentkit.node',
      files: ['latentkit.node'],
      preferUnplugged: true,
    })
    writeFileSync(path.join(folder, 'README.md'), `The compiled core of latentkit ${version}: install \`latentkit\`.\n`)
    cpSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'))
    return pack(folder, out)
  })
}

/**
 * Packs latentkit as built in dist, with the cores as optional dependencies of the same version. From a copy without the
 * script `prepare`: npm 10 runs that even with --ignore-scripts, and it would write dist anew under whoever uses it.
 */
export function packMain(out) {
  return staged(folder => {
    const named = manifest.files.filter(file => !file.startsWith('!'))
    for (const file of [...named, 'README.md', 'LICENSE']) {
      const filter = from => isCurrent(path.relative(root, from))
      cpSync(path.join(root, file), path.join(folder, file), { recursive: true, filter })
    }
    const { devDependencies, scripts, ...rest } = manifest
    const cores = Object.keys(CORES).map(name => [`@latentkit/${name}`, manifest.version])
    const published = {
      ...rest,
      scripts: { install: scripts.install },
      optionalDependencies: Object.fromEntries(cores),
    }
    writePackage(folder, published)
    return pack(folder, out)
  })
}

/**
 * The compiler leaves in dist what it made of a source that is gone; scripts/bundle.mjs cleans up after itself. Of the program it makes
 * modules that nothing loads: those in dist/bundled take their place.
 */
function isCurrent(file) {
  if (/^dist\/apps\/cli\/(?!main\.js)/.test(file)) return false
  const [, source] = /^dist\/((?:src|apps)\/.*?)(\.js|\.js\.map|\.d\.ts)$/.exec(file) ?? []
  return source === undefined || existsSync(path.join(root, `${source}.ts`))
}

/** The newest version of glibc that an addon asks for, as [2, 17]. */
export function glibcOf(addon) {
  const versions = [...run('objdump', ['-T', addon]).matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, a, b]) => [+a, +b])
  return versions.sort(compare).at(-1)
}

function checkGlibc(addon) {
  const needed = glibcOf(addon)
  if (compare(needed, OLDEST_GLIBC) <= 0) return
  const [met, expected] = [needed, OLDEST_GLIBC].map(version => version.join('.'))
  throw new Error(
    `${addon} needs glibc ${met}; expected ${expected} at most: \`objdump -T\` names the functions, ` +
      'native/platform/old-glibc.h their older versions',
  )
}

const compare = (a, b) => a[0] - b[0] || a[1] - b[1]

function staged(work) {
  const folder = mkdtempSync(path.join(tmpdir(), 'latentkit-package-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function writePackage(folder, content) {
  // npm holds the name of the repository against the workflow that publishes.
  const { GITHUB_REPOSITORY } = process.env
  const repository = GITHUB_REPOSITORY && { type: 'git', url: `git+https://github.com/${GITHUB_REPOSITORY}.git` }
  const whole = { ...content, ...(repository && { repository }) }
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(whole, null, 2)}\n`)
}

function pack(folder, out) {
  mkdirSync(out, { recursive: true })
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', path.resolve(out)], folder),
  )
  return path.join(out, path.basename(filename))
}

function run(program, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 64 << 20 })
  if (error) throw new Error(`${program} cannot be run: ${error.message}`)
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${stderr}`)
  return stdout
}

async function main() {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: 'build/packages' }, only: { type: 'string', multiple: true } },
  })
  const known = ['latentkit', ...Object.keys(CORES)]
  const unknown = values.only?.find(name => !known.includes(name))
  if (unknown) throw new Error(`there is no package ${JSON.stringify(unknown)}; expected ${known.join(', ')}`)
  for (const name of values.only ?? known) {
    const problem = name === 'latentkit' ? null : coreProblem(CORES[name])
    if (problem && values.only) throw new Error(`${name} cannot be built here: ${problem}`)
    if (problem) console.error(`${name} is left out: ${problem}`)
    else console.log(name === 'latentkit' ? packMain(values.out) : await packCore(name, values.out))
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (!existsSync(path.join(root, 'dist'))) throw new Error('dist is not there; run `npm run build` first')
  try {
    await main()
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
