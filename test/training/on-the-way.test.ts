/** What a run shows and does on its way: samples, interruptions, weights beyond f32, texts behind links. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { readRuns, type TrainingEvent, type TrainOptions, train } from '../../src/training/index.ts'
import { STORIES, smallModel } from './small-model.ts'

const place = mkdtempSync(join(tmpdir(), 'latentkit-way-'))
afterAll(() => rmSync(place, { recursive: true }))
const TEXT = join(place, 'text.txt')
writeFileSync(TEXT, STORIES)
const QUESTIONS = fileURLToPath(new URL('../fixtures/hellaswag-4.jsonl', import.meta.url))
const model = smallModel(join(place, 'model'))
const OPTIONS: TrainOptions = {
  ...{ data: [TEXT], validation: [TEXT], steps: 6, batchTokens: 24, contextLength: 12, rate: 0.02, warmup: 1 },
  ...{ saveEvery: 4, validateEvery: 3, threads: 1 },
}

async function events(run: string, options: TrainOptions = OPTIONS): Promise<TrainingEvent[]> {
  const all: TrainingEvent[] = []
  for await (const event of train(model, join(place, run), options)) all.push(event)
  return all
}

const numbers = (run: string) =>
  ['model.safetensors', 'training.safetensors'].map(file => readFileSync(join(place, run, 'step-000006', file)))

it('writes samples, and ends with the same bits as without', async () => {
  await events('plain')
  const shown = { sampleEvery: 2, samplePrompts: ['The cat', 'The dog'], sampleTokens: 5 }
  const options = { ...OPTIONS, ...shown, evaluate: QUESTIONS, evaluateEvery: 4, evaluateLimit: 3 }
  const all = await events('samples', options)
  const samples = all.filter(event => event.type === 'sample')
  expect(samples.map(({ step, prompt }) => `${step} ${prompt}`)).toEqual(
    [2, 4, 6].flatMap(step => [`${step} The cat`, `${step} The dog`]),
  )
  expect(samples.every(({ text }) => text.length > 0)).toBe(true)
  const evaluations = all.filter(event => event.type === 'evaluation')
  expect(evaluations.map(({ step, questions }) => [step, questions])).toEqual([
    [4, 3],
    [6, 3],
  ])
  expect((await readRuns([join(place, 'samples')]))[0]?.evaluations).toHaveLength(2)
  expect(numbers('samples')).toEqual(numbers('plain'))
  const again = await events('samples-again', options)
  expect(again.filter(event => event.type === 'sample')).toEqual(samples)
  const steps = all.flatMap(event => (event.type === 'step' ? [event] : []))
  const [begin] = all
  expect(begin?.type === 'begin' && (begin.peak ?? 0) > 1e8).toBe(true)
  expect(steps.every(({ share }) => share !== null && share > 0 && share < 1.5)).toBe(true)
})

it('interrupted, makes a checkpoint from which it goes on with the same bits', async () => {
  await expect(async () => {
    const controller = new AbortController()
    for await (const event of train(model, join(place, 'left'), { ...OPTIONS, signal: controller.signal })) {
      if (event.type === 'step' && event.step === 2) controller.abort()
    }
  }).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
  expect(readdirSync(join(place, 'left'))).toContain('step-000002')
  const [left] = await readRuns([join(place, 'left')])
  expect(left).toMatchObject({ state: 'stopped', wantedSteps: 6, checkpoints: [2] })
  expect((await events('left'))[0]).toMatchObject({ type: 'begin', step: 2 })
  const whole = numbers('plain')
  expect(numbers('left')).toEqual(whole)
  const [done] = await readRuns([join(place, 'left')])
  expect(done).toMatchObject({ state: 'done' })
  expect(done?.steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6])
  expect(done?.validations.map(({ step }) => step)).toEqual([3, 6])
})

it('does not save weights that the last update has led beyond f32', async () => {
  const { validation: _, ...rest } = OPTIONS
  const options = { ...rest, steps: 1, warmup: 0, schedule: 'constant', rate: 3e38 } as const
  await expect(events('beyond', options)).rejects.toThrow(/weights after step 1 are beyond f32; take a lower rate/)
  expect(readdirSync(join(place, 'beyond')).filter(name => name.startsWith('step'))).toEqual([])
})

it('follows links to files and folders of texts, and refuses those without an end', async () => {
  const [texts, elsewhere] = [join(place, 'texts'), join(place, 'elsewhere')]
  for (const folder of [texts, elsewhere]) mkdirSync(folder)
  writeFileSync(join(elsewhere, 'far.txt'), STORIES)
  symlinkSync(TEXT, join(texts, 'near.txt'))
  symlinkSync(elsewhere, join(texts, 'folder'))
  const documents = async (run: string) => {
    const begun = train(model, join(place, run), { ...OPTIONS, data: [texts] })
    const { value } = await begun.next()
    await begun.return()
    return value?.type === 'begin' && value.documents
  }
  expect(await documents('linked')).toBe(12)
  symlinkSync(texts, join(elsewhere, 'back'))
  await expect(documents('endless')).rejects.toThrow(/back is a link to a folder that it is in/)
  rmSync(join(elsewhere, 'back'))
  symlinkSync(join(place, 'nowhere.txt'), join(texts, 'gone.txt'))
  await expect(documents('gone')).rejects.toThrow(/gone.txt is a link to a file that is not there/)
})
