// Preloaded into every thread of the soak's server: SIGUSR2 collects garbage in all of them and moves together what is left, so that what is
// resident afterwards is in use.
const { setFlagsFromString } = require('node:v8')
const { runInNewContext } = require('node:vm')
const { BroadcastChannel, isMainThread } = require('node:worker_threads')

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')
const collect = () => {
  setFlagsFromString('--compact-on-every-full-gc')
  gc()
  setFlagsFromString('--no-compact-on-every-full-gc')
}
const others = new BroadcastChannel('soak-collect')
others.unref()
others.onmessage = () => collect()
let watched = false
if (isMainThread) {
  process.on('SIGUSR2', () => {
    watched = true
    collect()
    others.postMessage(null)
  })
}

// What the rule is to see: so many bytes of each request stay, of those after the first look; what stayed before would be part of it.
const leak = Number(process.env.SOAK_LEAK ?? 0)
if (leak > 0 && isMainThread) {
  const kept = []
  require('node:diagnostics_channel').subscribe('http.server.request.start', () => {
    if (watched) kept.push(Buffer.alloc(leak, 1))
  })
}
