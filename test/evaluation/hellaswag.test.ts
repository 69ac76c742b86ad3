/**
 * HellaSwag: log-probabilities of endings equal those of transformers 5 in float32, cut into tokens as lm-evaluation-harness does.
 * Four questions of the validation set (MIT licence) on the bundled model; over the first 40 both find 30.0 and 25.0 %.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { bundledModel } from '../../src/checkpoint/find/bundled-model.ts'
import { loadInNode } from '../../src/engine/host/node/platform.ts'
import { endingTexts, readQuestions } from '../../src/evaluation/hellaswag.ts'
import { measureHellaswag } from '../../src/tools.ts'
import { latentkit } from '../cli/run.ts'
import { tempFolder } from '../support/temp-folder.ts'

const FILE = fileURLToPath(new URL('../fixtures/hellaswag-4.jsonl', import.meta.url))
const TEXT = readFileSync(FILE, 'utf8')
const SUMS = [
  [-71.4476890895479, -58.30194186480236, -49.04925920351249, -45.1358301496517],
  [-33.46415689600575, -26.77562727050462, -35.63782306485077, -41.13348399891152],
  [-85.5309979545558, -69.07961530964228, -46.3348193463746, -140.92536938701195],
  [-22.43097572274996, -27.16019978831252, -46.08889285630831, -32.93904243911705],
]

it('gives the log-probabilities that transformers gives, all questions in one batch', async () => {
  const context = { report: () => {}, signal: new AbortController().signal }
  const { model, kernels, tokenizer } = await loadInNode(bundledModel(), { exact: true }, context)
  const reader = model.textReader()
  const texts = readQuestions(TEXT).flatMap(question => endingTexts(question, tokenizer, 512))
  const losses = await reader.losses(texts, work => work())
  let at = 0
  const sums = texts.map(({ targets }) => {
    const count = Array.from(targets).filter(target => target >= 0).length
    at += count
    return -losses.subarray(at - count, at).reduce((sum, loss) => sum + loss, 0)
  })
  for (const [i, sum] of sums.entries()) expect(Math.abs(sum - (SUMS.flat()[i] as number))).toBeLessThan(2e-3)
  for (const disposed of [reader, model, kernels]) disposed.dispose()
})

it('counts right answers, with the standard error of the mean', async () => {
  const options = { threads: 1, kernels: 'wasm' } as const
  const { accuracy, normalised, questions } = await measureHellaswag(bundledModel(), TEXT, options)
  expect(questions).toBe(4)
  expect(accuracy).toEqual({ mean: 0.5, error: Math.sqrt(0.25 / 3) })
  expect(normalised).toEqual({ mean: 0.25, error: 0.25 })
})

it('reads questions as published, without the marks of WikiHow', () => {
  const published = { activity_label: 'Baking', ctx_a: 'A cook stirs.', ctx_b: 'the Dough', label: '1' }
  const line = JSON.stringify({ ...published, endings: ['[header] rises [title] Well.', ' falls'] })
  expect(readQuestions(`${line}\n\n`)).toEqual([
    { context: 'Baking: A cook stirs. The dough', endings: [' rises. Well.', 'falls'], label: 1 },
  ])
  const bad = (change: object) =>
    readQuestions(JSON.stringify({ query: 'a', endings: ['b', 'c'], label: 0, ...change }))
  expect(() => bad({ label: 2 })).toThrow('Line 1 has the label 2; expected 0 to 1')
  expect(() => bad({ endings: ['b'] })).toThrow('Line 1 has the endings a list of 1')
  expect(() => bad({ query: 3 })).toThrow('Line 1 has no "query"')
  expect(() => readQuestions('{"query":')).toThrow('Line 1 is no JSON')
  expect(() => readQuestions('\n')).toThrow('There is no question')
})

it('is one door with perplexity on the command line', async () => {
  const MODEL = bundledModel()
  const shown = await latentkit(['evaluate', MODEL, 'hellaswag', FILE])
  expect([shown.code, shown.stderr]).toEqual([0, ''])
  expect(shown.stdout).toMatch(/^acc_norm +25\.0 % ± 25\.0 %$/m)
  const { questions, interrupted } = JSON.parse(
    (await latentkit(['evaluate', MODEL, 'hellaswag', FILE, '--limit', '2', '--json'])).stdout,
  )
  expect([questions, interrupted]).toEqual([2, false])
  const text = join(tempFolder({ 'text.txt': 'Once upon a time there was a fox. '.repeat(200) }), 'text.txt')
  const perplexity = await latentkit(['evaluate', MODEL, 'perplexity', text, '--limit', '1', '--json'])
  expect(JSON.parse(perplexity.stdout).text.windows).toBe(1)
  const none = await latentkit(['evaluate', MODEL, 'joy', FILE])
  expect([none.code, none.stderr]).toEqual([
    2,
    expect.stringMatching(/no task "joy"; expected hellaswag or perplexity/),
  ])
})
