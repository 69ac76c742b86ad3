/**
 * A run that is killed at random moments and called again ends with the bits of one that never was. `npm run nightly -- kills-of-training`: 50 kills.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { Rng } from '../support/rng.ts'
import { STORIES, smallModel } from './small-model.ts'

const KILLS = Number(process.env.LATENTKIT_TRAINING_KILLS ?? 3)
const MAIN = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url))
const STEPS = 40

const place = mkdtempSync(join(tmpdir(), 'latentkit-kills-'))
afterAll(() => rmSync(place, { recursive: true }))
const data = join(place, 'stories.txt')
writeFileSync(data, STORIES)

/** Calls the command; kills it so many milliseconds after its first line. */
function run(model: string, folder: string, after?: number): Promise<number | null> {
  const settings = [
    '--data',
    data,
    '--validation',
    data,
    '--steps',
    `${STEPS}`,
    '--batch-tokens',
    '24',
    '--context',
    '12',
  ]
  const often = ['--save-every', '2', '--validate-every', '3', '--kernels', 'wasm', '--threads', '1', '--json']
  return new Promise(resolve => {
    const child = spawn(process.execPath, [MAIN, 'train', model, folder, ...settings, ...often], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    if (after !== undefined) child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), after))
    child.stdout.resume()
    child.on('exit', code => resolve(code))
  })
}

const newest = (folder: string) => {
  const steps = readdirSync(folder).filter(name => /^step-\d+$/.test(name))
  return join(folder, steps.sort().at(-1) as string)
}

it(
  `killed ${KILLS} times`,
  async () => {
    const model = smallModel(join(place, 'model'))
    const [whole, parts] = [join(place, 'whole'), join(place, 'parts')]
    const begun = performance.now()
    expect(await run(model, whole)).toBe(0)
    const took = performance.now() - begun
    const rng = new Rng('kills')
    let kills = 0
    for (let round = 0; kills < KILLS; round++) {
      // A run that has ended is begun anew, so that all kills hit something.
      if ((await run(model, parts, rng.below(Math.ceil(took / 4)))) === null) kills++
      else {
        expectSame(parts, whole)
        rmSync(parts, { recursive: true })
      }
      expect(round).toBeLessThan(20 * KILLS)
    }
    expect(await run(model, parts)).toBe(0)
    expectSame(parts, whole)
    // Half a minute for each kill: other programs may run.
  },
  600_000 + KILLS * 30_000,
)

function expectSame(folder: string, whole: string): void {
  expect(newest(folder).endsWith(`step-0000${STEPS}`)).toBe(true)
  for (const file of ['model.safetensors', 'training.safetensors', 'training.json', 'config.json']) {
    expect(readFileSync(join(newest(folder), file)).equals(readFileSync(join(newest(whole), file)))).toBe(true)
  }
  const losses = (run: string) => {
    const lines = readFileSync(join(run, 'log.jsonl'), 'utf8').trim().split('\n')
    return lines.map(line => JSON.parse(line) as { step: number; loss?: number; validation?: number })
  }
  expect(losses(folder).map(({ step, loss, validation }) => [step, loss, validation])).toEqual(
    losses(whole).map(({ step, loss, validation }) => [step, loss, validation]),
  )
  // A kill may leave a partial checkpoint, which the next call removes.
  expect(readdirSync(folder).filter(name => name.includes('.partial'))).toEqual([])
}
