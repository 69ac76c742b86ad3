// The engine's thread as one file, dist/bundled/engine-thread.js, and beside it what is loaded only when it is asked for: a
// thread reads and links every module by itself, and 300 small ones take longer than the model does. Not minified, with
// source maps. By rolldown, whose chunks follow what is loaded together: one token needs four to eight files, with esbuild twenty.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { RolldownMagicString, rolldown } from 'rolldown'
import { updateFiles } from './update-files.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const made = path.join(root, 'build', 'bundled')
const target = path.join(root, 'dist', 'bundled')

/** A module that looks for files beside itself looks beside its own compiled file. */
const ownAddress = {
  name: 'own-address',
  transform(code, id) {
    if (!code.includes('import.meta.url')) return null
    const compiled = path.relative(root, id).split(path.sep).join('/').replace(/\.ts$/, '.js')
    const address = `new URL(${JSON.stringify(`../${compiled}`)}, import.meta.url).href`
    return { code: new RolldownMagicString(code).replaceAll('import.meta.url', address) }
  },
}

const bundle = await rolldown({
  cwd: root,
  input: { 'engine-thread': 'src/engine/host/node/worker.ts' },
  platform: 'node',
  // Packages stay where they are installed.
  external: id => !id.startsWith('.') && !path.isAbsolute(id) && !id.startsWith('src/'),
  transform: { target: 'es2023' },
  tsconfig: 'tsconfig.build.json',
  plugins: [ownAddress],
})
const { output } = await bundle.generate({ dir: target, format: 'esm', sourcemap: true, chunkFileNames: '[name].js' })
await bundle.close()

rmSync(made, { recursive: true, force: true })
mkdirSync(made, { recursive: true })
for (const file of output) writeFileSync(path.join(made, file.fileName), file.code ?? file.source)
updateFiles(made, target)
const current = new Set(output.map(file => file.fileName))
for (const file of readdirSync(target)) if (!current.has(file)) rmSync(path.join(target, file))
