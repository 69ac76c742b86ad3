/** The package that this program belongs to: its folder and version. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Package {
  readonly folder: string
  readonly version: string
}

/** Reads latentkit's package.json, walking up from this file: its depth differs between source and build. */
export function ownPackage(): Package {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file)) {
      const { name, version } = JSON.parse(readFileSync(file, 'utf8'))
      if (name === 'latentkit') return { folder, version }
    }
    if (dirname(folder) === folder) throw new Error('the package.json of latentkit is not above its files')
  }
}
