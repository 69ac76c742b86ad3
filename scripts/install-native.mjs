// npm's install hook: builds the native kernels where that is possible. A machine without a compiler is no failure:
// WebAssembly runs everything, more slowly.
import { buildNative } from './build-native.mjs'

try {
  await buildNative({ quiet: true })
} catch (error) {
  const reason = error.message.split('\n')[0]
  console.log(`latentkit: the native kernels could not be built (${reason}); WebAssembly will be used instead.`)
  console.log('latentkit: with a C++ compiler (g++, or CXX=...) `npm run build:native` builds them later.')
}
