// Puts the WebAssembly modules where the compiled files look for them.
import { cpSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
cpSync(path.join(root, 'prebuilt'), path.join(root, 'dist', 'prebuilt'), { recursive: true })
