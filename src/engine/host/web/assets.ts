/** The files of the package that a page loads beside its own code: scripts of threads and WebAssembly modules. */
import { OptionError } from '../../../errors.ts'

/** Addresses by file name. Scripts: `latentkit-*.js`; WebAssembly: as in prebuilt/. */
export type Assets = Readonly<Record<AssetName, string>>

const NAMES = [
  ...['latentkit-worker.js', 'latentkit-thread.js', 'latentkit-masks.js'],
  ...['core.wasm', 'core-threads.wasm', 'core-relaxed.wasm', 'core-relaxed-threads.wasm', 'core-relaxed-64.wasm'],
  'grammar.wasm',
] as const

type AssetName = (typeof NAMES)[number]

/**
 * Where the files are: in the folder `given`, else beside the built module. Each address is written out, so that bundlers find
 * the file and move it to where the program goes.
 */
export function findAssets(given: string | URL | undefined, page: string): Assets {
  if (given === undefined) return besideModule()
  const folder = new URL(String(given).replace(/\/*$/, '/'), page)
  return Object.fromEntries(NAMES.map(name => [name, new URL(name, folder).href])) as Assets
}

function besideModule(): Assets {
  // A bundle that is no ES module has no address.
  if ((import.meta.url as string | undefined) === undefined) {
    throw new OptionError(
      'assets is missing: this bundle is not an ES module, so latentkit cannot find its files; give the folder to which ' +
        'the files of latentkit/dist/browser were copied (docs/browser.md)',
    )
  }
  return {
    'latentkit-worker.js': new URL('./latentkit-worker.js', import.meta.url).href,
    'latentkit-thread.js': new URL('./latentkit-thread.js', import.meta.url).href,
    'latentkit-masks.js': new URL('./latentkit-masks.js', import.meta.url).href,
    'core.wasm': new URL('./core.wasm', import.meta.url).href,
    'core-threads.wasm': new URL('./core-threads.wasm', import.meta.url).href,
    'core-relaxed.wasm': new URL('./core-relaxed.wasm', import.meta.url).href,
    'core-relaxed-threads.wasm': new URL('./core-relaxed-threads.wasm', import.meta.url).href,
    'core-relaxed-64.wasm': new URL('./core-relaxed-64.wasm', import.meta.url).href,
    'grammar.wasm': new URL('./grammar.wasm', import.meta.url).href,
  }
}
