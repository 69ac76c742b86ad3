/** Opens an address in the user's browser; false where the system has no program for that. */
import { spawn } from 'node:child_process'

export function openInBrowser(url: string): Promise<boolean> {
  const [program, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', url]
        : ['xdg-open', url]
  return new Promise(resolve => {
    const child = spawn(program as string, args, { stdio: 'ignore', detached: true })
    child.once('error', () => resolve(false))
    child.once('spawn', () => {
      child.unref()
      resolve(true)
    })
  })
}
