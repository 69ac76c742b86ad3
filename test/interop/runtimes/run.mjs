// Installs Deno, Bun and Node 24 beside this file, once, and runs program.mjs in each: what docs/browser.md says of them holds.
// Then Node 24, which has addresses of 64 bits, runs the conformance cases beyond 4 GiB.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = path.dirname(fileURLToPath(import.meta.url))
const root = path.join(folder, '..', '..', '..')
const bin = name => path.join(folder, 'node_modules', '.bin', name)
const TEXT = ' She loved to play outside in the garden. One day,'
/** What a runtime cannot do, and is known for. */
const CANNOT = { node: ['latentkit/browser'] }
const RUNTIMES = { deno: ['run', '--allow-all'], bun: [], node: [] }

if (!existsSync(bin('deno'))) {
  const options = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = spawnSync('npm', ['install', ...options], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  if (npm.status !== 0) process.exit(1)
}
let failed = false
for (const [name, args] of Object.entries(RUNTIMES)) {
  const { stdout, stderr, status } = spawnSync(bin(name), [...args, path.join(folder, 'program.mjs')], {
    encoding: 'utf8',
    timeout: 600_000,
  })
  const last = stdout.trim().split('\n').at(-1) ?? ''
  if (status !== 0 || !last.startsWith('{')) {
    failed = true
    console.log(`${name}: ended with ${status}\n${stdout}${stderr}`)
    continue
  }
  for (const [what, outcome] of Object.entries(JSON.parse(last))) {
    const works = outcome.text === TEXT && outcome.valid
    const { kernels } = outcome
    const how = kernels ? `${kernels.name} ${kernels.isa}, threads ${kernels.threads}` : outcome.error.split('\n')[0]
    if (works === (CANNOT[name]?.includes(what) ?? false)) failed = true
    console.log(`${name}: ${what} ${works ? 'works' : 'DOES NOT WORK'}: ${how}`)
  }
}
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs')
const cases = [vitest, 'run', 'test/conformance/wasm-relaxed.test.ts']
const { status } = spawnSync(bin('node'), cases, { cwd: root, stdio: 'inherit' })
process.exit(failed || status !== 0 ? 1 : 0)
