// Builds the WebAssembly modules (for each instruction set one with threads and one without, one with addresses of 64 bits, one for
// training) from the sources of the native core with clang 19 and its linker. The results are committed, so that only who changes the core needs the compiler; a test compares them.
// `CLANG` and `WASM_LD` name other programs.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { isaDefines } from './build-native.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const native = path.join(root, 'native')
const clang = process.env.CLANG || 'clang-19'
const linker = process.env.WASM_LD || 'wasm-ld-19'
const run = promisify(execFile)

/** What names each set to its unit, and the compiler's flags for it. The names are those of `info.isa`. */
const SETS = {
  simd128: { defines: isaDefines('wasm', { lanes: 4 }), flags: [] },
  'relaxed-simd': {
    defines: isaDefines('relaxed', { lanes: 4, header: 'wasm-relaxed.h' }),
    flags: ['-mrelaxed-simd'],
  },
}
export const MODULES = {
  'core.wasm': { set: 'simd128', threads: false, bits: 32 },
  'core-threads.wasm': { set: 'simd128', threads: true, bits: 32 },
  'core-relaxed.wasm': { set: 'relaxed-simd', threads: false, bits: 32 },
  'core-relaxed-threads.wasm': { set: 'relaxed-simd', threads: true, bits: 32 },
  // Runs with one thread, too: engines with 64-bit addresses have relaxed SIMD and give shared memory to a thread alone.
  'core-relaxed-64.wasm': { set: 'relaxed-simd', threads: true, bits: 64 },
  // For Node alone: what training adds would make each of the others an eighth larger.
  'core-training.wasm': { set: 'simd128', threads: true, bits: 32, training: true },
}
export const OUTPUT = path.join(root, 'prebuilt')

const UNITS = ['core/pool', 'core/dispatch', 'platform/wasm', 'host/wasm', 'isa']

const COMPILE = [
  ...['-std=c++20', '-O3', '-ffreestanding', '-nostdlib', '-fno-exceptions', '-fno-rtti'],
  ...['-fvisibility=hidden', '-fno-math-errno', '-ffp-contract=off', '-fno-ident'],
  ...['-msimd128', '-mbulk-memory', '-mnontrapping-fptoint', '-msign-ext', '-mmutable-globals'],
  ...['-Wall', '-Wextra', '-Werror=switch', '-Wno-unknown-pragmas', '-Wno-pass-failed'],
]

const LINK = [
  ...['--no-entry', '--strip-all', '--import-memory', '--export=__heap_base', '--export=__stack_pointer'],
  // The stack lies below the data, so that running over it traps instead of overwriting.
  ...['--stack-first', '-z', 'stack-size=262144', '--initial-memory=1048576'],
]
/** Addresses end here; of 64 bits where browsers end them. */
const MOST = { 32: 2 ** 32, 64: 2 ** 34 }

/** Whether the programs are there; else why not. */
export async function wasmCompilerProblem() {
  for (const program of [clang, linker]) {
    try {
      await run(program, ['--version'])
    } catch (error) {
      return `${program} cannot be run (${error.code ?? error.message})`
    }
  }
  return null
}

/** Writes one module. Compiled from the folder of the sources, so that no path gets into the file. */
export async function buildModule(output, { set, threads, bits, training = false }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'latentkit-wasm-'))
  const { flags } = SETS[set]
  const defines = [...SETS[set].defines, ...(training ? [] : ['-DLATENTKIT_WITHOUT_TRAINING'])]
  const features = [...flags, ...(threads ? ['-matomics', '-pthread'] : [])]
  try {
    const objects = []
    for (const unit of UNITS) {
      const object = path.join(folder, `${unit.replace('/', '-')}.o`)
      objects.push(object)
      // Of the others only the dispatch asks which set it is.
      const named = unit === 'isa' || unit === 'core/dispatch' ? defines : []
      const args = [`--target=wasm${bits}`, ...COMPILE, ...features, ...named, '-c', `${unit}.cpp`, '-o', object]
      const { stderr } = await run(clang, args, { cwd: native })
      if (stderr) process.stderr.write(stderr)
    }
    const addresses = [`-mwasm${bits}`, `--max-memory=${MOST[bits]}`]
    await run(linker, [...LINK, ...addresses, ...(threads ? ['--shared-memory'] : []), ...objects, '-o', output])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const problem = await wasmCompilerProblem()
  if (problem) {
    console.error(`${problem}: on Debian, \`apt-get install clang-19 lld-19\`.`)
    process.exit(1)
  }
  for (const [name, options] of Object.entries(MODULES)) await buildModule(path.join(OUTPUT, name), options)
}
