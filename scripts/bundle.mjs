// What Node starts often, as few files: the engine's thread, dist/bundled/engine-thread.js, and the program, dist/apps/cli/main.js; beside
// each what is loaded only when it is asked for (of the program in dist/bundled/cli). Whoever starts reads and links every module by itself,
// and 200 to 300 small ones take longer than the model does. Not minified, with source maps. By rolldown, whose chunks follow what is
// loaded together: one token needs four to eight files, with esbuild twenty.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { RolldownMagicString, rolldown } from 'rolldown'
import { updateFiles } from './update-files.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const made = path.join(root, 'build', 'bundled')
const target = path.join(root, 'dist')

rmSync(made, { recursive: true, force: true })
await bundle({ 'bundled/engine-thread': 'src/engine/host/node/worker.ts' }, 'bundled')
// In place of what the compiler made of it.
await bundle({ 'apps/cli/main': 'apps/cli/main.ts' }, 'bundled/cli')
updateFiles(made, target)
for (const folder of ['bundled', 'bundled/cli']) {
  const current = new Set(readdirSync(path.join(made, folder)))
  for (const file of readdirSync(path.join(target, folder))) {
    if (!current.has(file)) rmSync(path.join(target, folder, file), { recursive: true })
  }
}

/** Bundles what begins with a module; what it loads later lies in `folder`. */
async function bundle(input, folder) {
  const built = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    // Packages stay where they are installed; what `using` is turned into is the bundler's own.
    external: id => !/^(\.|src\/|apps\/|@oxc-project\/runtime)/.test(id) && !path.isAbsolute(id),
    transform: { target: 'es2023' },
    tsconfig: 'tsconfig.build.json',
    plugins: [ownAddress(path.relative(folder, ''))],
  })
  const names = { entryFileNames: '[name].js', chunkFileNames: `${folder}/[name].js` }
  const { output } = await built.generate({ dir: target, format: 'esm', sourcemap: true, ...names })
  await built.close()
  for (const { fileName, code, source } of output) {
    const file = path.join(made, fileName)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, code ?? source)
  }
}

/** A module that looks for files beside itself looks beside its own compiled file; `up` is the way to dist. */
function ownAddress(up) {
  return {
    name: 'own-address',
    transform(code, id) {
      if (!code.includes('import.meta.url')) return null
      const compiled = path.relative(root, id).split(path.sep).join('/').replace(/\.ts$/, '.js')
      const address = `new URL(${JSON.stringify(`${up}/${compiled}`)}, import.meta.url).href`
      return { code: new RolldownMagicString(code).replaceAll('import.meta.url', address) }
    },
  }
}
