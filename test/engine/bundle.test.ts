/** A program that was bundled with latentkit in it: the thread's script stays behind, and the error says what to do. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { rolldown } from 'rolldown'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { TALES } from './tales.ts'

const PROGRAM = `
  import { Engine } from 'latentkit'
  Engine.load(process.argv[2], { threads: 1, offline: true })
    .then(engine => engine.generate('Once', { maxTokens: 2 }).finally(() => engine.dispose()))
    .then(({ tokenIds }) => console.log(tokenIds.length, 'tokens'), ({ name, message }) => console.log(name, message))`

/** `hidden`: as bundlers for CommonJS do that know no address of a module. */
async function run(format: 'esm' | 'cjs', external: string[], hidden = false): Promise<string> {
  const folder = tempFolder({ 'program.mjs': PROGRAM })
  const bundle = await rolldown({
    input: join(folder, 'program.mjs'),
    platform: 'node',
    external,
    resolve: { alias: { latentkit: join(process.cwd(), 'dist/src/index.js') } },
    ...(hidden && { transform: { define: { 'import.meta.url': 'undefined' } } }),
    logLevel: 'silent',
  })
  const file = join(folder, format === 'esm' ? 'program.bundle.mjs' : 'program.bundle.cjs')
  await bundle.write({ file, format, codeSplitting: false })
  await bundle.close()
  const { stdout } = await promisify(execFile)(process.execPath, [file, join(process.cwd(), TALES)])
  return stdout
}

describe('a bundle', () => {
  it.each([
    ['esm', false],
    ['cjs', false],
    ['cjs', true],
  ] as const)('as %s (addresses of modules hidden: %s) says that latentkit stays outside', async (format, hidden) => {
    expect(await run(format, [], hidden)).toMatch(
      /^WorkerError The engine's thread cannot be started.*keep latentkit out/,
    )
  })
})
