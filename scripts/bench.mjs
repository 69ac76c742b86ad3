// Compiles the benches and runs one: node scripts/bench.mjs NAME [arguments]. Without a name, lists them.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const [name, ...args] = process.argv.slice(2)
if (!name || !existsSync(path.join(root, 'bench', `${name}.ts`))) {
  const names = readdirSync(path.join(root, 'bench')).filter(file => file.endsWith('.ts'))
  console.error(`usage: node scripts/bench.mjs NAME, one of: ${names.map(file => file.slice(0, -3)).join(', ')}`)
  process.exit(2)
}
const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const compiled = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.bench.json'], { cwd: root, stdio: 'inherit' })
if (compiled.status !== 0) process.exit(1)
execFileSync(process.execPath, [path.join(root, 'scripts', 'copy-assets.mjs')], { stdio: 'inherit' })
const run = spawnSync(process.execPath, ['--expose-gc', path.join(root, 'dist', 'bench', `${name}.js`), ...args], {
  cwd: root,
  stdio: 'inherit',
})
process.exit(run.status ?? 1)
