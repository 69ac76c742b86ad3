// Installs vite, webpack and puppeteer-core beside this file, once, and runs the tests that build with them or drive Firefox. They
// come with packages for every platform, some of which not every registry has, so this is no `npm ci`.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = path.dirname(fileURLToPath(import.meta.url))
const root = path.join(folder, '..', '..', '..')

if (!existsSync(path.join(folder, 'node_modules', 'puppeteer-core'))) {
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = spawnSync('npm', ['install', ...options], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  if (npm.status !== 0) process.exit(1)
}
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs')
const tests = ['bundlers', 'firefox', 'cases'].map(name => `test/browser/${name}.test.ts`)
const test = ['run', '--reporter=verbose', ...tests]
process.exit(spawnSync(process.execPath, [vitest, ...test], { cwd: root, stdio: 'inherit' }).status ?? 1)
