// Builds the chat page (apps/page) and the explorer (apps/explorer) into dist/apps: one HTML file each, and beside it files whose
// names change with their content, so that browsers may keep them for ever. Servers give them out as they are.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { updateFiles } from './update-files.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

await buildPage('page')
await buildPage('explorer')

/** Builds apps/`name`: `main.tsx`, `theme.ts` and, for use without a network, `offline.ts`. */
async function buildPage(name) {
  const source = path.join(root, 'apps', name)
  const built = path.join(root, 'build', name)
  const target = path.join(root, 'dist', 'apps', name)

  const common = {
    bundle: true,
    minify: true,
    target: 'es2022',
    outdir: built,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    absWorkingDir: root,
    // The engine stays as it is published, in files beside the page: its workers are found by their addresses.
    external: ['./latentkit/*'],
  }

  rmSync(built, { recursive: true, force: true })
  mkdirSync(built, { recursive: true })
  const page = await build({
    ...common,
    entryPoints: [path.join(source, 'main.tsx')],
    format: 'esm',
    splitting: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
  })
  const theme = await build({ ...common, entryPoints: [path.join(root, 'apps', 'page', 'theme.ts')], format: 'iife' })

  const outputs = { ...page.metafile.outputs, ...theme.metafile.outputs }
  const names = Object.keys(outputs).map(output => path.basename(output))
  let html = readFileSync(path.join(source, 'index.html'), 'utf8')
  for (const entry of ['theme.js', 'main.css', 'main.js']) {
    const { name, ext } = path.parse(entry)
    const hashed = names.find(output => output.startsWith(`${name}-`) && output.endsWith(ext))
    html = html.replace(`"${entry}"`, `"${hashed}"`)
  }
  writeFileSync(path.join(built, 'index.html'), html)
  writeFileSync(path.join(built, 'icon.svg'), readFileSync(path.join(root, 'apps', 'page', 'icon.svg')))
  writeFileSync(path.join(built, 'licences.txt'), licences(Object.keys(page.metafile.inputs)))
  const offline = path.join(source, 'offline.ts')
  if (existsSync(offline)) await buildOffline(offline, built, common)

  updateFiles(built, target)
  const current = new Set(readdirSync(built))
  // Folders hold what the command line has in common with the page.
  for (const entry of readdirSync(target, { withFileTypes: true })) {
    if (!current.has(entry.name) && entry.isFile()) rmSync(path.join(target, entry.name))
  }
}

/** The script that keeps the page for use without a network: it has one name for ever, and knows the files of this build and its engine. */
async function buildOffline(entry, built, common) {
  const files = readdirSync(built).filter(file => file !== 'licences.txt')
  const browser = path.join(root, 'dist', 'browser')
  const engine = readdirSync(browser).filter(file => !file.endsWith('.map'))
  const hash = createHash('sha256')
  for (const file of engine) hash.update(file).update(readFileSync(path.join(browser, file)))
  const define = {
    FILES: JSON.stringify(files.map(file => (file === 'index.html' ? './' : `./${file}`))),
    ENGINE_FILES: JSON.stringify(engine.map(file => `./latentkit/${file}`)),
    ENGINE_HASH: JSON.stringify(hash.digest('hex').slice(0, 16)),
  }
  await build({ ...common, entryPoints: [entry], entryNames: 'offline', format: 'iife', define })
}

/** The licences of what is bundled, whose texts have to go with it. */
function licences(inputs) {
  const packages = new Set()
  for (const input of inputs) {
    const name = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]
    if (name !== undefined) packages.add(name)
  }
  return [...packages]
    .sort()
    .map(name => {
      const folder = path.join(root, 'node_modules', name)
      const { version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
      const file = readdirSync(folder).find(entry => /^licen[cs]e/i.test(entry))
      const text = file === undefined ? '' : readFileSync(path.join(folder, file), 'utf8').trim()
      return `${name} ${version} (${license})\n\n${text}\n`
    })
    .join(`\n${'-'.repeat(72)}\n\n`)
}
