// Compiles the benches and runs one: node scripts/bench.mjs NAME [arguments]. Without a name, lists them. The comment at a
// bench's head is its help, and an option that is not named there is refused.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { updateFiles } from './update-files.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const names = readdirSync(path.join(root, 'bench'))
  .filter(file => file.endsWith('.ts'))
  .map(file => file.slice(0, -3))
const overview = () => {
  const lines = names.map(
    name =>
      `  ${name.padEnd(15)}${helpOf(name)
        .split(/[.:;,?]\s/, 1)[0]
        .replace(/\s+/g, ' ')}`,
  )
  return `usage: node scripts/bench.mjs NAME [arguments], one of:\n${lines.join('\n')}\nNAME --help tells more`
}

const [name, ...args] = process.argv.slice(2)
const wantsHelp = [name, ...args].some(arg => arg === '--help' || arg === '-h')
if (wantsHelp) {
  console.log(names.includes(name) ? helpOf(name) : overview())
  process.exit(0)
}
if (!name) refuse(overview())
if (!names.includes(name)) refuse(`there is no bench ${JSON.stringify(name)}; ${overview()}`)
const known = new Set(helpOf(name).match(/--[a-z][a-z-]*/g))
for (const arg of args) {
  if (arg.startsWith('-') && !known.has(arg.split('=', 1)[0])) {
    const options = known.size > 0 ? `expected ${[...known].join(', ')}` : 'it has none'
    refuse(`bench ${name} has no option ${arg}: ${options} (see node scripts/bench.mjs ${name} --help)`)
  }
}

const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
// Apart from dist, which tests and other programs may be loading from. Types are `npm run typecheck`'s to check: that takes longer than the rest.
const output = path.join(root, 'build', 'bench')
const compile = [tsc, '-p', 'tsconfig.bench.json', '--outDir', output, '--declaration', 'false', '--noCheck']
const compiled = spawnSync(process.execPath, compile, { cwd: root, stdio: 'inherit' })
if (compiled.status !== 0) process.exit(1)
const sameCode = (a, b) => withoutMap(a) === withoutMap(b)
updateFiles(output, path.join(root, 'dist'), sameCode)
const bundled = spawnSync(process.execPath, [path.join(root, 'scripts', 'bundle.mjs')], { cwd: root, stdio: 'inherit' })
if (bundled.status !== 0) process.exit(1)
updateFiles(path.join(root, 'prebuilt'), path.join(root, 'dist', 'prebuilt'))
const run = spawnSync(process.execPath, ['--expose-gc', path.join(root, 'dist', 'bench', `${name}.js`), ...args], {
  cwd: root,
  stdio: 'inherit',
})
process.exit(run.status ?? 1)

/** The build links each file to its source map, the compilation of the benches does not. */
function withoutMap(code) {
  return code
    .toString()
    .replace(/\n\/\/# sourceMappingURL=.*\s*$/, '')
    .trimEnd()
}

/** The comment at the head of a bench. */
function helpOf(bench) {
  const source = readFileSync(path.join(root, 'bench', `${bench}.ts`), 'utf8')
  const [, comment = ''] = /^\/\*\*\n(.*?)\n \*\//s.exec(source) ?? []
  return comment.replace(/^ \* ?/gm, '').replaceAll('node scripts/bench.mjs', 'npm run bench --')
}

function refuse(message) {
  console.error(message)
  process.exit(2)
}
