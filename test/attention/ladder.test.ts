/** The programs of examples/ladder run, each is short enough to be read, and they show what they are for. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../cli/run.ts'

const FOLDER = join(ROOT, 'examples', 'ladder')

function run(program: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [join(FOLDER, program), ...args], (error, stdout, stderr) => {
      if (error) reject(new Error(stderr))
      else resolve(stdout)
    })
  })
}

describe('examples/ladder', { timeout: 120_000 }, () => {
  it.each(readdirSync(FOLDER))('%s is read in one sitting, and imports only public paths', file => {
    const text = readFileSync(join(FOLDER, file), 'utf8')
    expect(text.split('\n').length).toBeLessThanOrEqual(150)
    const imported = [...text.matchAll(/from '([^']+)'/g)].map(([, path = '']) => path)
    for (const path of imported) expect(path).toMatch(/^(latentkit(\/\w+)?|node:\w+|\.\/\w+\.mjs)$/)
  })

  it('rope on raised keys: absorption is exact without it, and wrong with it', async () => {
    const text = await run('raised-keys.mjs', '--tokens', '40')
    const [, plain, error, times] =
      /differ by at most ([\de.-]+)\n.*by up to ([\d.]+)\n(?:.|\n)*million, (\d+) times fewer/.exec(text) ?? []
    expect(Number(plain)).toBeLessThan(1e-5)
    expect(Number(error)).toBeGreaterThan(0.3)
    expect(Number(times)).toBeGreaterThan(100)
  })

  it('without any rotation there is no error: it is the rope that stands between', async () => {
    // One token has position 0 only.
    expect(await run('raised-keys.mjs', '--tokens', '1')).toMatch(/by up to 0\.00/)
  })

  it('both rungs learn to write dates', async () => {
    const text = await run('run.mjs', '--steps', '60', '--batch', '8', '--size', '32', '--threads', '2')
    const losses = [...text.matchAll(/^(.*): (\d+) parameters, loss ([\d.]+); right by letters/gm)]
    expect(losses.map(([, title]) => title)).toEqual(['RNN encoder-decoder (GRU)', 'additive attention (Bahdanau)'])
    // Drawing from letters at random costs ln(39) = 3.7 nats.
    for (const [, , parameters, loss] of losses) {
      expect(Number(parameters)).toBeGreaterThan(5000)
      expect(Number(loss)).toBeLessThan(2.3)
    }
    await expect(run('run.mjs', 'lstm')).rejects.toThrow('there is no rung lstm; there are rnn, additive')
  })
})
