/** A model file that is cut or overwritten under an engine: the process lives, the engine says what happened. */
import { spawn } from 'node:child_process'
import { cpSync, readdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { nativeUnavailable } from '../../src/kernels/core/node/addon.ts'
import { ROOT, TALES } from '../cli/run.ts'
import { tempFolder } from '../support/temp-folder.ts'

const missing = nativeUnavailable()

/** A program over the built package, since a bus error that is not caught ends the process it happens in. */
const PROGRAM = `
import { closeSync, openSync, renameSync, truncateSync, writeSync } from 'node:fs'
import { Engine } from '${pathToFileURL(join(ROOT, 'dist/src/index.js')).href}'
const [folder, other, cacheDir, how, threads] = process.argv.slice(1)
const file = folder + '/model.safetensors'
const change = () => {
  if (how.startsWith('cut')) return truncateSync(file, Number(how.split(' ')[1]))
  const to = openSync(file, 'r+')
  writeSync(to, new Uint8Array(1 << 20).fill(7), 0, 1 << 20, 1 << 20)
  closeSync(to)
}
const options = { kernels: 'native', threads: Number(threads) }
const [engine, second] = await Promise.all([
  Engine.load(folder, { ...options, cacheDir }),
  Engine.load(other, options),
])
const greedy = { temperature: 0, ignoreEos: true }
const before = await second.generate('Once upon a time', { ...greedy, maxTokens: 60 })
const told = async work => work.then(() => ({ code: 'none' }), ({ name, code, message }) => ({ name, code, message }))
const session = engine.session()
const running = [session.prompt('Once upon a time', { ...greedy, maxTokens: 2000 })]
running.push(engine.generate('The fox and the bear. '.repeat(60), { ...greedy, maxTokens: 1000 }))
let seen = 0
const first = running[0]
const watching = (async () => {
  try { for await (const _ of first) if (++seen === 20) change() } catch {}
})()
const errors = await Promise.all(running.map(told))
await watching
const began = performance.now()
const later = await Promise.all([
  told(engine.generate('Once', { maxTokens: 1 })),
  told(session.prompt('more', { maxTokens: 1 })),
  told(engine.generate('Once', { maxTokens: 4, beams: { width: 2 } })),
])
const laterMs = performance.now() - began
const after = await second.generate('Once upon a time', { ...greedy, maxTokens: 60, reuse: false })
await engine.dispose()
await second.dispose()
console.log(JSON.stringify({ errors, later, laterMs, seen, same: before.text === after.text }))
`

interface Outcome {
  readonly errors: readonly Told[]
  readonly later: readonly Told[]
  readonly laterMs: number
  readonly seen: number
  readonly same: boolean
}
interface Told {
  readonly name: string
  readonly code: string
  readonly message: string
}

function copyOfTales(): string {
  const folder = join(tempFolder(), 'tales')
  cpSync(TALES, folder, { recursive: true })
  return folder
}

function run(
  args: readonly string[],
): Promise<{ code: number | null; signal: string | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, '--', ...args])
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  return new Promise(resolve => child.on('close', (code, signal) => resolve({ code, signal, out, err })))
}

describe.skipIf(missing)(missing ? `a changed model file (${missing})` : 'a changed model file', () => {
  it.each([
    ['cut 1000', 1],
    ['cut 1000', 2],
    ['cut 8000000', 4],
    ['overwritten', 2],
  ])('%s while two texts are written, %i threads', async (how, threads) => {
    const folder = copyOfTales()
    const cacheDir = tempFolder()
    const { code, signal, out, err } = await run([folder, TALES, cacheDir, how, String(threads)])
    expect({ code, signal, err }).toEqual({ code: 0, signal: null, err: '' })
    const { errors, later, laterMs, seen, same } = JSON.parse(out) as Outcome
    for (const told of [...errors, ...later]) {
      expect(told).toMatchObject({ name: 'ModelFileChangedError', code: 'model_file_changed' })
      expect(told.message).toContain(join(folder, 'model.safetensors'))
    }
    // Of the step under way when it happened nothing is given out, and of later ones there are none.
    expect(seen).toBeGreaterThanOrEqual(20)
    expect(seen).toBeLessThan(1500)
    expect(laterMs).toBeLessThan(2000)
    expect(same).toBe(true)
  })

  it('while it loads, again and again', async () => {
    const program = `
      import { truncateSync } from 'node:fs'
      import { Engine } from '${pathToFileURL(join(ROOT, 'dist/src/index.js')).href}'
      const [folder, weights, kernels, after] = process.argv.slice(1)
      let events = 0
      const onProgress = () => {
        if (++events === Number(after)) truncateSync(folder + '/model.safetensors', 5000)
      }
      try {
        const options = { kernels, threads: 2, onProgress, ...(weights !== 'file' && { weights }) }
        const engine = await Engine.load(folder, options)
        await engine.generate('Once', { maxTokens: 5 })
        console.log('a text')
      } catch ({ code }) {
        console.log(code)
      }
      process.exit(0)`
    for (const [weights, kernels] of [
      ['file', 'native'],
      ['q8_0', 'native'],
      ['file', 'wasm'],
    ] as const) {
      for (const after of ['1', '2', '3']) {
        const folder = copyOfTales()
        const child = spawn(process.execPath, [
          ...['--input-type=module', '-e', program, '--', folder, weights, kernels, after],
        ])
        let out = ''
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          out += text
        })
        const [code, signal] = await new Promise<unknown[]>(resolve => child.on('close', (...how) => resolve(how)))
        expect({ code, signal }).toEqual({ code: 0, signal: null })
        expect(out).toMatch(/^(model_file_changed|a text)\n$/)
      }
    }
  })

  it('leaves nothing wrong behind: a new engine on the same cache folder writes the right text', async () => {
    const { Engine } = await import('../../src/index.ts')
    const [folder, cacheDir] = [copyOfTales(), tempFolder()]
    await run([folder, TALES, cacheDir, 'cut 1000', '2'])
    expect(readdirSync(cacheDir).length).toBeGreaterThan(0)
    truncateSync(join(folder, 'model.safetensors'), 0)
    cpSync(TALES, folder, { recursive: true, force: true })
    const prompt = 'The fox and the bear. '.repeat(60)
    const options = { temperature: 0, ignoreEos: true, maxTokens: 40 } as const
    const texts: string[] = []
    for (const own of [{ cacheDir }, {}]) {
      const engine = await Engine.load(folder, { kernels: 'native', threads: 2, inline: true, ...own })
      texts.push((await engine.generate(prompt, options)).text)
      await engine.dispose()
    }
    expect(texts[0]).toBe(texts[1])
  })
})
