/** Test files of Node, bundled for a worker of a page: what they import of Node and of its kernels is the page's. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Plugin, rolldown } from 'rolldown'

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** Rooms whose tests hold kernels and models to numbers. */
const ROOMS = ['test/conformance', 'test/identities', 'test/model']
/** Files that are Node's alone, and why. */
const NODES_OWN: Readonly<Record<string, string>> = {
  'test/conformance/native.test.ts': 'the addon',
  'test/conformance/wasm-training.test.ts': 'a module that no page loads',
  'test/model/checkpoints/native.test.ts': 'the addon',
  'test/model/smollm2.test.ts': 'the addon; what it reads is 100 MB',
}

/** Test files that a page can run, by their paths. */
export const TEST_FILES = ROOMS.flatMap(room =>
  readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' }).map(name => join(room, name)),
)
  .filter(file => file.endsWith('.test.ts') && !Object.hasOwn(NODES_OWN, file))
  .sort()

/** In place of modules of Node: by the end of their path, or by their name. */
const REPLACED: readonly (readonly [RegExp, string])[] = [
  [
    /kernels\/core\/node\/wasm\.ts$/,
    `import { webKernels } from ${JSON.stringify(join(ROOT, 'src/engine/host/web/kernels.ts'))}
    const assets = new Proxy({}, { get: (_, name) => new URL('/latentkit/' + name, location.href).href })
    export const createWasmKernels = (options = {}) => webKernels(assets).wasm(options)`,
  ],
  [
    /kernels\/core\/node\/addon\.ts$/,
    `export const nativeUnavailable = () => 'a browser runs no addon'
    export const createNativeKernels = async () => { throw new Error(nativeUnavailable()) }`,
  ],
  [/^node:v8$/, 'export const setFlagsFromString = () => {}'],
]
const FILES = 'virtual:test-files'

const inPage: Plugin = {
  name: 'in-page',
  resolveId(id) {
    if (id === FILES) return id
    if (id === 'vitest') return join(ROOT, 'test/browser/cases/vitest.ts')
    const replaced = REPLACED.findIndex(([pattern]) => pattern.test(id))
    if (replaced >= 0) return `virtual:replaced-${replaced}`
    return id.startsWith('node:') ? join(ROOT, 'test/browser/cases/files.ts') : null
  },
  load(id) {
    if (id === FILES) {
      const lines = TEST_FILES.map(
        file => `${JSON.stringify(file)}: () => import(${JSON.stringify(join(ROOT, file))}),`,
      )
      return `export const FILES = {${lines.join('\n')}}`
    }
    const replaced = /^virtual:replaced-(\d+)$/.exec(id)?.[1]
    return replaced === undefined ? null : (REPLACED[Number(replaced)]?.[1] as string)
  },
  // Fixtures are found from where a source lies.
  transform(code, id) {
    if (!id.startsWith(ROOT) || id.includes(`${sep}node_modules${sep}`)) return null
    return code.includes('import.meta.url') ? code.replaceAll('import.meta.url', JSON.stringify(`file://${id}`)) : null
  },
}

/** Writes `cases.js` and its parts. */
export async function bundleCases(folder: string): Promise<void> {
  const built = await rolldown({
    cwd: ROOT,
    input: { cases: 'test/browser/cases/worker.ts' },
    platform: 'browser',
    transform: { target: 'es2022', define: { 'process.env.NODE_ENV': '"test"', 'process.env': '({})' } },
    tsconfig: 'tsconfig.json',
    plugins: [inPage],
    // What nothing here calls is undefined.
    shimMissingExports: true,
    // By package.json modules have no effects; tests do.
    treeshake: false,
    logLevel: 'silent',
  })
  const { output } = await built.generate({ format: 'esm' })
  await built.close()
  for (const file of output) writeFileSync(join(folder, file.fileName), file.type === 'chunk' ? file.code : file.source)
}
