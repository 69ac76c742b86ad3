// Builds the native core with a sanitizer and runs the tests that use it most: `node scripts/sanitized.mjs KIND [test ...]`,
// KIND being address, undefined or thread. What a sanitizer finds ends the process it is found in, and so fails the test.
import { execFileSync, spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildNative } from './build-native.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiler = process.env.CXX || 'g++'

const KINDS = {
  // SIGBUS is the core's (platform/file-mapping.h). Node and V8 give back little at their end. Some tests ask for more memory than there is.
  address: {
    library: 'libasan.so',
    env: { ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1:handle_sigbus=0' },
  },
  undefined: { library: 'libubsan.so', env: { UBSAN_OPTIONS: 'print_stacktrace=1:handle_sigbus=0' } },
  // What is not compiled for it is left out.
  thread: {
    library: 'libtsan.so',
    env: {
      TSAN_OPTIONS: `halt_on_error=1:handle_sigbus=0:suppressions=${path.join(root, 'scripts', 'thread-sanitizer.txt')}`,
    },
  },
}

/** The kernels on every instruction set, the disk cache, an engine with several sessions, files that change. */
const TESTS = [
  ...['test/conformance/native.test.ts', 'test/kernels/threads.test.ts', 'test/kernels/changed-file.test.ts'],
  ...['test/cache/disk-store.test.ts', 'test/engine/disk.test.ts', 'test/engine/shared-cache.test.ts'],
  ...['test/engine/step-loop.test.ts', 'test/engine/changed-file.test.ts'],
]

/** Every damage costs a prompt, many times slower here; the blocks after the first take the same paths through the core. */
const SIZES = { LATENTKIT_DAMAGED_BLOCKS: '1' }

const [kind, ...tests] = process.argv.slice(2)
if (!Object.hasOwn(KINDS, kind ?? '')) {
  console.error('usage: node scripts/sanitized.mjs address|undefined|thread [test ...]')
  process.exit(2)
}
const { library, env } = KINDS[kind]
const addon = await buildNative({ variant: kind })
const preload = execFileSync(compiler, [`-print-file-name=${library}`], { encoding: 'utf8' }).trim()
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=verbose']
const { status } = spawnSync(process.execPath, [...vitest, ...(tests.length > 0 ? tests : TESTS)], {
  cwd: root,
  env: {
    ...process.env,
    ...env,
    ...SIZES,
    LATENTKIT_TEST_TIMEOUT: '600000',
    LATENTKIT_ADDON: addon,
    LD_PRELOAD: preload,
  },
  stdio: 'inherit',
})
process.exit(status ?? 1)
