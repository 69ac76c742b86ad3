/** `latentkit runs`, and Ctrl-C in `latentkit train`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { STORIES, smallModel } from '../training/small-model.ts'
import { latentkit, lines, start } from './run.ts'

/** A run's folder as `train` writes it, with a loss that falls from 6. */
function writeRun(folder: string, steps: number, offset: number): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'run.json'), JSON.stringify({ version: 1, model: '/models/small', steps, rate: 1e-3 }))
  const log = Array.from({ length: steps }, (_, i) => {
    const step = i + 1
    const numbers = { gradientNorm: 1, rate: 1e-3, epoch: 1, tokens: 100, seconds: 0.1, share: 0.5 }
    const line = { step, loss: offset + 5 / step, ...numbers }
    return [line, ...(step % 10 === 0 ? [{ step, validation: offset + 6 / step }] : [])]
  })
  writeFileSync(
    join(folder, 'log.jsonl'),
    `${log
      .flat()
      .map(line => JSON.stringify(line))
      .join('\n')}\n{"step": 4`,
  )
  mkdirSync(join(folder, `step-${String(steps).padStart(6, '0')}`))
}

function twoRuns(): string {
  const folder = tempFolder()
  writeRun(join(folder, 'adamw'), 40, 1)
  writeRun(join(folder, 'muon'), 30, 0.5)
  return folder
}

describe('latentkit runs', () => {
  it('lists the runs of a folder and draws them over one another', async () => {
    const { code, stdout, stderr } = await latentkit(['runs', twoRuns()])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^adamw +done +40 of 40 +1\.1702 +1\.1500 \(step 40\) +1,000 tok\/s/m)
    expect(stdout).toMatch(/^muon +done +30 of 30/m)
    expect(stdout).toContain('loss, nats per token')
    expect(stdout).toMatch(/ \* adamw$/m)
    expect(stdout).toMatch(/ o muon$/m)
    expect(stdout).toMatch(/ • muon, validation$/m)
    expect(stdout).toMatch(/6(\.0)? ┤\*/)
  })

  it('gives rows, one object, and a picture', async () => {
    const folder = twoRuns()
    const csv = lines((await latentkit(['runs', join(folder, 'adamw'), join(folder, 'muon'), '--csv'])).stdout)
    expect(csv).toHaveLength(71)
    const columns = 'loss,gradientNorm,rate,epoch,tokens,seconds,share,imbalance,predictionLoss,accuracy,margin'
    expect(csv[0]).toBe(`run,step,validation,${columns}`)
    expect(csv[10]).toBe('adamw,10,1.6,1.5,1,0.001,1,100,0.1,0.5,,,,')
    const { runs } = JSON.parse((await latentkit(['runs', folder, '--json'])).stdout)
    expect(runs[1]).toMatchObject({ state: 'done', wantedSteps: 30, settings: { rate: 1e-3 } })
    expect(runs[1].steps).toHaveLength(30)
    const file = join(folder, 'losses.svg')
    expect((await latentkit(['runs', folder, '--svg', file, '--smooth', '5'])).code).toBe(0)
    const svg = readFileSync(file, 'utf8')
    expect(svg.match(/<path d="M[\d.,L]+" stroke="#\w+"\/>/g)).toHaveLength(2)
    expect(svg.match(/<circle /g)).toHaveLength(4 + 3 + 2)
  })

  it('says what is wrong in a sentence', async () => {
    const none = await latentkit(['runs', tempFolder()])
    expect([none.code, none.stderr]).toEqual([1, expect.stringMatching(/holds no run; expected folders that "train"/)])
    expect((await latentkit(['runs', 'nowhere'])).stderr).toMatch(/nowhere is not there/)
    expect((await latentkit(['runs', '--metric', 'joy'])).code).toBe(2)
  })
})

it('Ctrl-C in train makes a checkpoint and ends with 130', async () => {
  const folder = tempFolder({ 'text.txt': STORIES })
  const model = smallModel(join(folder, 'model'))
  const run = join(folder, 'run')
  const settings = ['--data', join(folder, 'text.txt'), '--steps', '3000', '--batch-tokens', '24', '--context', '12']
  const args = ['train', model, run, ...settings, '--save-every', '3000', '--kernels', 'wasm', '--threads', '1']
  const child = start([...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [seen, complaints] = ['', '']
  child.stderr?.on('data', text => (complaints += text))
  child.stdout?.on('data', text => {
    if (!/"step":3,/.test(seen) && /"step":3,/.test(seen + text)) child.kill('SIGINT')
    seen += text
  })
  expect(await new Promise(resolve => child.on('close', resolve))).toBe(130)
  expect(complaints).toMatch(/^Interrupted; the same command goes on after the last checkpoint in /)
  const last = JSON.parse(lines(seen).at(-1) as string)
  expect(last.type).toBe('saved')
  const { runs } = JSON.parse((await latentkit(['runs', run, '--json'])).stdout)
  expect(runs[0]).toMatchObject({ state: 'stopped', checkpoints: [last.step] })
})
