// The server of this checkout with the bundled model, on a free port, for the scripts that ask it.
import { spawn } from 'node:child_process'

/** Resolves with its process and address once it answers; rejects if it ends before. It never outlives this process. */
export function serve(...options) {
  const args = ['dist/apps/cli/main.js', 'serve', 'tales-mla-8m', '--port', '0', '--log', 'none', ...options]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  // Before folders that it writes into are removed.
  process.prependListener('exit', () => child.kill('SIGKILL'))
  for (const signal of ['SIGINT', 'SIGTERM'])
    if (process.listenerCount(signal) === 0) process.on(signal, () => process.exit(1))
  return new Promise((resolve, reject) => {
    let said = ''
    child.once('exit', exit => reject(new Error(`the server ended with ${exit}: ${said}`)))
    child.stderr.on('data', part => {
      said += part
      const [url] = /http:\S+/.exec(said) ?? []
      if (url) resolve({ process: child, url })
    })
  })
}
