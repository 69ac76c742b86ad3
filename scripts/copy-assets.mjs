// Brings what the compiler leaves out to where the compiled files look for it: the WebAssembly modules.
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const folder = path.join('src', 'kernels', 'core', 'wasm')

mkdirSync(path.join(root, 'dist', folder), { recursive: true })
for (const name of readdirSync(path.join(root, folder))) {
  if (name.endsWith('.wasm')) copyFileSync(path.join(root, folder, name), path.join(root, 'dist', folder, name))
}
