// npm's install hook: sees to the native kernels. The platform's package has them compiled; where it is missing they are
// built from source, and where there is no compiler either, that is no failure: WebAssembly runs everything, more slowly.
// `LATENTKIT_SKIP_BUILD=1` leaves out the build.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildNative } from './build-native.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const say = sentence => console.log(`latentkit: ${sentence}`)

if (developmentPackagesMissing()) {
  console.error(
    'latentkit: a clone is built with TypeScript, which is not installed: NODE_ENV=production or --omit=dev leave it ' +
      'out. Run `npm ci --include=dev`.',
  )
  process.exit(1)
}
if (!prebuilt()) {
  const { LATENTKIT_SKIP_BUILD: skip = '' } = process.env
  if (process.platform === 'win32') say('there are no native kernels for Windows yet; WebAssembly will be used.')
  else if (!['', '0', 'false'].includes(skip)) say(`the native kernels are not built (LATENTKIT_SKIP_BUILD=${skip}).`)
  else await build()
}

/** In a clone npm runs `prepare` after this, and that would fail at the end of a long build. */
function developmentPackagesMissing() {
  if (!existsSync(path.join(root, 'tsconfig.build.json'))) return false
  try {
    require.resolve('typescript')
    return false
  } catch {
    return true
  }
}

/** Whether the platform's package is there, of this version, and loads: its C library may be another. */
function prebuilt() {
  const name = `@latentkit/core-${process.platform}-${process.arch}`
  try {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
    return require(`${name}/package.json`).version === version && require(name).version === version
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') say(`${name} cannot be used here: ${error.message.split('\n', 1)[0]}`)
    return false
  }
}

async function build() {
  try {
    await buildNative({ quiet: true })
  } catch (error) {
    say(`the native kernels could not be built (${error.message.split('\n', 1)[0]}); WebAssembly will be used instead.`)
    const again = existsSync(path.join(root, 'tsconfig.build.json'))
      ? '`npm run build:native`'
      : '`npm rebuild latentkit`'
    say(`with a C++ compiler (g++, or CXX=...) ${again} builds them later.`)
  }
}
