import { onTestFinished } from 'vitest'
import { start } from '../cli/run.ts'

/** `latentkit explore MODEL` itself, until the test ends. The address that it says; rejects with what it said where it ends. */
export function explored(model: string): Promise<string> {
  const child = start(['explore', model, '--port', '0', '--no-open'], { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void child.kill())
  let said = ''
  return new Promise((resolve, reject) => {
    child.on('close', () => reject(new Error(said)))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const [url] = /http:\/\/\S+/.exec(said) ?? []
      if (url !== undefined) resolve(url)
    })
  })
}
