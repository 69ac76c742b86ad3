// `latentkit/browser` as it is published, dist/browser: the module of the page, and beside it what a page loads when it needs
// it. Each worker is one file without imports, so that bundlers may treat it like a picture: copied, renamed, never read.
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { MODULES as CORES } from './build-wasm.mjs'
import { updateFiles } from './update-files.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const MODULES = [...Object.keys(CORES).filter(name => !CORES[name].training), 'grammar.wasm']
const THREAD = 'virtual:core-thread'

/** Scripts of workers by the names that `src/engine/host/web/assets.ts` looks for. */
const WORKERS = {
  'latentkit-worker': 'src/engine/host/web/worker.ts',
  'latentkit-masks': 'src/grammar/web/worker.ts',
  'latentkit-thread': THREAD,
}

/**
 * Vite puts files below 4 KiB into the page's own script, as data; a content security policy may forbid workers from there. So the
 * small one is not small.
 */
const BIG_ENOUGH = 4200
const ballast = `\n/* Larger than 4 KiB, so that bundlers keep it a file. ${'-'.repeat(BIG_ENOUGH)} */\n`

/** The core's threads run the text that Node's run, as a script. */
const coreThread = {
  name: 'core-thread',
  resolveId: id => (id === THREAD ? id : null),
  load: async id => {
    if (id !== THREAD) return null
    const { JOIN } = await import(pathToFileURL(path.join(root, 'src/kernels/core/wasm/platform.ts')).href).catch(
      () => import(pathToFileURL(path.join(root, 'dist/src/kernels/core/wasm/platform.js')).href),
    )
    return `${JOIN}onmessage = event => join(event.data, () => postMessage('ready'))`
  },
}

async function bundle(input, output) {
  const built = await rolldown({
    cwd: root,
    input,
    platform: 'browser',
    transform: { target: 'es2022' },
    tsconfig: 'tsconfig.build.json',
    plugins: [coreThread],
    logLevel: 'warn',
  })
  const { output: files } = await built.generate({ format: 'esm', minify: true, sourcemap: true, ...output })
  await built.close()
  return files
}

/** Builds all files into a folder. */
export async function bundleBrowser(folder) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const page = await bundle({ latentkit: 'src/browser.ts' }, { chunkFileNames: 'latentkit-[name].js' })
  const workers = []
  for (const [name, script] of Object.entries(WORKERS)) {
    workers.push(...(await bundle({ [name]: script }, { codeSplitting: false })))
  }
  for (const { fileName, code, source } of [...page, ...workers]) {
    const small = code !== undefined && code.length < BIG_ENOUGH && Object.hasOwn(WORKERS, path.parse(fileName).name)
    writeFileSync(path.join(folder, fileName), small ? code + ballast : (code ?? source))
  }
  for (const module of MODULES) cpSync(path.join(root, 'prebuilt', module), path.join(folder, module))
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const made = path.join(root, 'build', 'browser')
  const target = path.join(root, 'dist', 'browser')
  await bundleBrowser(made)
  updateFiles(made, target)
  const current = new Set(readdirSync(made))
  for (const file of readdirSync(target)) if (!current.has(file)) rmSync(path.join(target, file))
}
