// Builds the Node addon with the machine's own C++ compiler: no build system, no download. Each instruction set is a
// translation unit of its own; files that are newer than their sources stay. `CXX` names another compiler;
// scripts/package.mjs builds for other machines with a cross compiler. `--debug` and `--sanitize` make builds for finding
// faults, beside the usual one (native/README.md says how to run them).
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, devNull } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const native = path.join(root, 'native')
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))

/** Where a checkout, or a package whose source was built, has its addon. */
const HOME = path.join(root, 'build')

const FLAGS = [
  ...['-std=c++20', '-fPIC', '-fvisibility=hidden', '-fno-exceptions', '-fno-rtti', '-fno-math-errno', '-pthread'],
  // Products and sums are fused where the source says so, and nowhere else: same source, same bits.
  '-ffp-contract=off',
  // A switch over types that does not know one of them is a mistake (native/core/base.h, `impossible`).
  ...['-Wall', '-Wextra', '-Werror=switch', '-Wno-psabi', '-Wno-unknown-pragmas', '-Wno-maybe-uninitialized'],
]

// Measured: with -O3 the kernels are no faster, and take half as long again to build.
const USUAL = { compile: ['-O2'], link: ['-static-libgcc'] }

/** GCC only: checks of addresses as calls, since inline they make its optimiser take half an hour for these sources. */
const CHECKS_AS_CALLS = ['--param', 'asan-instrumentation-with-call-threshold=0']

/** Builds for finding faults, each in a folder of its name in `build`. */
export const VARIANTS = {
  debug: { compile: ['-g', '-O0', '-fno-omit-frame-pointer'], link: [] },
  ...Object.fromEntries(
    ['address', 'undefined', 'thread'].map(kind => {
      // What is found ends the process, so that no test passes over it.
      const sanitize = [`-fsanitize=${kind}`, ...(kind === 'undefined' ? ['-fno-sanitize-recover=all'] : [])]
      return [kind, { compile: ['-g', '-O1', '-fno-omit-frame-pointer', ...sanitize], link: sanitize }]
    }),
  ),
}

// GCC 12 warns about its own header of AVX-512 intrinsics.
const AVX512 = [
  ...['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mavx512vnni', '-mavx2', '-mfma', '-mf16c'],
  '-Wno-uninitialized',
]
/** `lanes`: floats of a vector; `header`: of native/simd, default the set's own. */
const PORTABLE = { lanes: 4, flags: [] }
const BF16 = [...AVX512, '-mavx512bf16']
/** `base`: the set that it is but for its products. */
const ISAS = {
  x64: {
    amx: { lanes: 16, base: 'avx512bf16', flags: [...BF16, '-mamx-tile', '-mamx-bf16', '-mamx-int8'] },
    avx512bf16: { lanes: 16, header: 'avx512.h', flags: BF16 },
    avx512: { lanes: 16, flags: AVX512 },
    avx2: { lanes: 8, flags: ['-mavx2', '-mfma', '-mf16c'] },
    portable: PORTABLE,
  },
  arm64: { neon: { lanes: 4, flags: [] }, portable: PORTABLE },
}

/** What names a set to its unit (native/simd/set.h). */
export function isaDefines(isa, { lanes, base, header = `${isa}.h` }) {
  const defines = [`-DLATENTKIT_ISA=${isa}`, `-DLATENTKIT_LANES=${lanes}`, `-DLATENTKIT_SIMD="${header}"`]
  return base ? [...defines, `-DLATENTKIT_BASE=${base}`] : defines
}

/** `without`: sets that the compiler does not know. */
function units(arch, without = []) {
  const isas = Object.fromEntries(
    Object.entries(ISAS[arch] ?? { portable: PORTABLE }).filter(([isa]) => !without.includes(isa)),
  )
  const oldGlibc = ['-include', path.join(native, 'platform', 'old-glibc.h')]
  return [
    ...Object.entries(isas).map(([isa, set]) => ({
      source: set.base ? 'products' : 'isa',
      name: `isa-${isa}`,
      flags: [...set.flags, ...isaDefines(isa, set)],
    })),
    { source: 'core/pool', flags: [] },
    {
      source: 'core/dispatch',
      name: ['core-dispatch', ...without.map(isa => `without-${isa}`)].join('-'),
      flags: without.map(isa => `-DLATENTKIT_WITHOUT_${isa.toUpperCase()}`),
    },
    ...['platform/posix', 'platform/file-mapping'].map(source => ({ source, flags: oldGlibc })),
    // The object's name has the version, so that it is made anew when the version changes.
    { source: 'host/addon', name: `addon-${version}`, flags: [...oldGlibc, `-DLATENTKIT_VERSION="${version}"`] },
  ].map(({ source, flags, name = source.replace('/', '-') }) => ({ source, flags, object: `${name}.o` }))
}

/** Sets that may be left out, where the compiler refuses their flags: GCC knows AMX from version 11 on. */
async function unknownTo(compiler, arch) {
  if (arch !== 'x64') return []
  const args = [...ISAS.x64.amx.flags, '-x', 'c++', '-fsyntax-only', devNull]
  return call(compiler, args).then(
    () => [],
    () => ['amx'],
  )
}

/** The folder of node_api.h: the system's, or the npm package's. */
function headers() {
  const beside = path.join(path.dirname(path.dirname(process.execPath)), 'include', 'node')
  const candidates = [beside, '/usr/include/node', '/usr/local/include/node']
  try {
    candidates.unshift(createRequire(import.meta.url)('node-api-headers').include_dir)
  } catch {}
  const found = candidates.find(folder => existsSync(path.join(folder, 'node_api.h')))
  if (!found) throw new Error('node_api.h is neither in the package node-api-headers nor beside node')
  return found
}

/**
 * Writes compile_commands.json, by which editors know the flags of every unit. Headers need none of them: an editor that takes
 * the flags of some unit for them compiles them for the portable set, or for that unit's.
 */
export function writeCompileCommands(file = path.join(root, 'compile_commands.json')) {
  const common = [...FLAGS, ...USUAL.compile, `-I${headers()}`]
  const commands = units(process.arch).map(({ source, flags }) => {
    const unit = path.join(native, `${source}.cpp`)
    return { directory: root, file: unit, arguments: ['c++', ...common, ...flags, '-c', unit] }
  })
  writeFileSync(file, `${JSON.stringify(commands, null, 1)}\n`)
  return file
}

function newestSource(folder) {
  let newest = statSync(fileURLToPath(import.meta.url)).mtimeMs
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (/\.(h|cpp)$/.test(entry.name)) {
      newest = Math.max(newest, statSync(path.join(entry.parentPath ?? entry.path, entry.name)).mtimeMs)
    }
  }
  return newest
}

function call(compiler, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(compiler, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    child.stdout.on('data', chunk => (text += chunk))
    child.stderr.on('data', chunk => (text += chunk))
    child.on('error', error => reject(new Error(`${compiler} cannot be run: ${error.message}`)))
    child.on('close', code => (code === 0 ? resolve(text) : reject(new Error(`${compiler} failed:\n${text}`))))
  })
}

async function each(items, limit, work) {
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: limit }, worker))
}

/**
 * Returns the addon's path; throws an Error whose message says why there is none. `arch` is Node's name of the processor
 * that the compiler builds for, `folder` where objects and addon go, `variant` one of `VARIANTS` (null: the usual build).
 */
export async function buildNative({
  quiet = false,
  arch = process.arch,
  compiler = process.env.CXX || 'g++',
  variant = null,
  folder = variant ? path.join(HOME, variant) : HOME,
} = {}) {
  const { link, ...flags } = variant ? VARIANTS[variant] : USUAL
  const asCalls = variant === 'address' && !/clang|^c\+\+$/.test(path.basename(compiler))
  const compile = [...flags.compile, ...(asCalls ? CHECKS_AS_CALLS : [])]
  const objects = path.join(folder, 'objects')
  const target = path.join(folder, 'latentkit.node')
  const parts = units(arch, await unknownTo(compiler, arch)).map(({ object, ...part }) => ({
    ...part,
    object: path.join(objects, object),
  }))
  const newest = newestSource(native)
  const fresh = file => existsSync(file) && statSync(file).mtimeMs > newest
  if (fresh(target) && parts.every(({ object }) => existsSync(object))) return target
  const include = headers()
  mkdirSync(objects, { recursive: true })
  await each(parts, Math.max(1, availableParallelism()), async ({ source, flags, object }) => {
    if (fresh(object)) return
    const file = path.join(native, `${source}.cpp`)
    const text = await call(compiler, [...FLAGS, ...compile, ...flags, `-I${include}`, '-c', file, '-o', object])
    if (text && !quiet) process.stderr.write(text)
  })
  // Undefined symbols are Node's. Built aside and renamed: a running process keeps the file it has loaded.
  const linker = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : link
  const aside = `${target}.${process.pid}`
  await call(compiler, ['-shared', '-pthread', ...linker, ...parts.map(part => part.object), '-o', aside])
  renameSync(aside, target)
  return target
}

/** `--debug`, `--sanitize address|undefined|thread`. Throws for anything else. */
function variantFrom({ debug, sanitize }) {
  if (debug && sanitize !== undefined) throw new Error('give --debug or --sanitize, not both')
  if (sanitize === undefined) return debug ? 'debug' : null
  if (sanitize !== 'debug' && Object.hasOwn(VARIANTS, sanitize)) return sanitize
  throw new Error(`--sanitize is ${JSON.stringify(sanitize)}; expected address, undefined or thread`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const { values } = parseArgs({
      options: { commands: { type: 'boolean' }, debug: { type: 'boolean' }, sanitize: { type: 'string' } },
    })
    const variant = variantFrom(values)
    const commands = writeCompileCommands()
    const written = values.commands ? commands : await buildNative({ variant })
    console.log(path.relative(process.cwd(), written))
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
