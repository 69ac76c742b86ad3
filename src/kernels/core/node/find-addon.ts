import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LatentkitError } from '../../../errors.ts'
import { VERSION } from '../../../version.ts'
import { RECORDS } from '../records-hash.ts'

/** Where the build puts the addon, seen from `src` and from `dist/src`. */
const BUILT = ['../../../../build/latentkit.node', '../../../../../build/latentkit.node']

/** What every addon exports since 0.1.0. */
interface Versioned {
  readonly version?: string
  /** The form of its records: between two versions it may change from build to build. */
  readonly records?: string
}

/**
 * The compiled core: the one that `LATENTKIT_ADDON` names (a path, for builds that find faults), else the one that was
 * built here from source, else the one of the platform's package
 * (`@latentkit/core-linux-x64` …). Throws LatentkitError, which says what was met and what to do.
 */
export function loadAddon<Addon extends Versioned>(): Addon {
  const require = createRequire(import.meta.url)
  const problems: string[] = []
  const { LATENTKIT_ADDON: given } = process.env
  for (const file of given ? [resolve(given)] : [...builtHere(), ...packaged(require, problems)]) {
    try {
      const addon = require(file) as Addon
      if (addon.version !== VERSION) problems.push(otherVersion(file, addon.version ?? 'none'))
      else if (addon.records !== RECORDS) problems.push(`${file} was built from other sources than these`)
      else return addon
    } catch (error) {
      problems.push(`${file} cannot be loaded (${error instanceof Error ? error.message.split('\n', 1)[0] : error})`)
    }
  }
  throw new LatentkitError('no_native_kernels', explain(problems))
}

function explain(problems: readonly string[]): string {
  if (problems.length > 0) return `${problems.join('; ')}; ${remedy()} builds them`
  if (process.platform === 'win32') return 'there are none for Windows yet'
  return `there are none for ${process.platform}-${process.arch} here; ${remedy()} builds them`
}

function builtHere(): string[] {
  return BUILT.map(place => fileURLToPath(new URL(place, import.meta.url))).filter(file => existsSync(file))
}

function packaged(require: NodeJS.Require, problems: string[]): string[] {
  const name = `@latentkit/core-${process.platform}-${process.arch}`
  let manifest: string
  try {
    manifest = require.resolve(`${name}/package.json`)
  } catch {
    return []
  }
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'))
  if (version === VERSION) return [join(dirname(manifest), 'latentkit.node')]
  problems.push(otherVersion(name, version))
  return []
}

function otherVersion(what: string, version: unknown): string {
  return `${what} is of version ${version} and this is latentkit ${VERSION}, which needs its own`
}

/** A checkout has the script; who has latentkit as a dependency has npm. */
function remedy(): string {
  const dependency = /[\\/]node_modules[\\/]/.test(fileURLToPath(import.meta.url))
  return dependency ? '`npm rebuild latentkit`' : '`npm run build:native`'
}
