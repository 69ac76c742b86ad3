// Preloaded into every thread of the soak's server: SIGUSR2 collects garbage in all of them, so that what is resident afterwards is in use.
const { setFlagsFromString } = require('node:v8')
const { runInNewContext } = require('node:vm')
const { BroadcastChannel, isMainThread } = require('node:worker_threads')

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
const others = new BroadcastChannel('soak-collect')
others.unref()
others.onmessage = () => collect()
if (isMainThread) {
  process.on('SIGUSR2', () => {
    collect()
    others.postMessage(null)
  })
}
