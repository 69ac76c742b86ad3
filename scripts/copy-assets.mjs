// Puts the WebAssembly modules where the compiled files look for them.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { updateFiles } from './update-files.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
updateFiles(path.join(root, 'prebuilt'), path.join(root, 'dist', 'prebuilt'))
