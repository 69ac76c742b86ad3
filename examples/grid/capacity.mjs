/** Runs the grid of capacity.json: each cell is one kind of attention that learns one task from one seed. `latentkit grid capacity` shows what this yields. */
import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OptionError } from 'latentkit'
import { openLearner } from 'latentkit/training'
import { whole } from '../ladder/climb.mjs'
import { lastRows, likeliest, random } from '../ladder/random.mjs'
import { bytesOf } from './bytes.mjs'
import { build } from './model.mjs'
import * as pairs from './pairs.mjs'
import * as records from './records.mjs'

const own = name => new URL(name, import.meta.url)

/** Sizes, tasks, seeds and margins, as they were written before the runs. */
export const DESIGN = JSON.parse(await readFile(own('capacity.json'), 'utf8'))

const ANSWER = 4
/** Of the texts that are examined: none that is learned from begins there. */
const EXAMINED_SEED = 1e6

/** Every cell, as `task/attention/seed`. */
export function cellsOf({ tasks, attention, seeds } = DESIGN) {
  const under = (names, all) => names.flatMap(name => all.map(one => `${name}/${one}`))
  return under(under(Object.keys(tasks), Object.keys(attention)), seeds)
}

/** The runs that come with the package, a result each. */
export async function keptRuns() {
  const lines = (await readFile(own('kept.jsonl'), 'utf8')).split('\n').filter(Boolean)
  return lines.map(line => JSON.parse(line))
}

/**
 * Yields, for each cell: { type: 'begin', cell }, while it learns { type: 'step', cell, step, steps, loss }, and { type: 'result', ... }. Cells that `folder` has
 * are not learned again. `texts`: files by name, for tasks of people's texts. `steps`: in place of the tasks' own. Throws where a cell there was learned with
 * other settings, or a text is not given.
 */
export async function* runCells(folder, { cells = cellsOf(), texts = {}, steps, threads } = {}) {
  await mkdir(folder, { recursive: true })
  for (const cell of cells) {
    const [task, attention, seed] = cell.split('/')
    const settings = {
      ...{ ...DESIGN.tasks[task], ...(steps && { steps }) },
      ...{ ...DESIGN.model, attention: DESIGN.attention[attention], seed: Number(seed) },
    }
    const file = join(folder, `${cell.replaceAll('/', '.')}.json`)
    const there = await resultIn(file, settings)
    // A cell whose text is not given again is taken as it is.
    const school = there && texts[settings.text] === undefined ? null : await schoolOf(task, settings, texts)
    if (there && school && school.digest !== there.text)
      throw new OptionError(`${file} was learned from another text; give another folder, or remove that file`)
    if (there) {
      yield { type: 'result', ...there }
      continue
    }
    yield { type: 'begin', cell }
    const found = yield* learned(cell, settings, school, threads)
    const text = school.digest ? { text: school.digest } : {}
    const result = { cell, task, attention, seed: Number(seed), ...found, ...text, settings }
    await whole(file, `${JSON.stringify(result)}\n`)
    yield { type: 'result', ...result }
  }
}

async function* learned(cell, settings, school, threads) {
  const { steps, batch, rate, seed, examined } = settings
  const bench = await openLearner({ ...(threads && { threads }) })
  try {
    const model = build(bench, { ...settings, words: school.words, seed: 100 * seed })
    const next = random(seed + 1)
    const begun = performance.now()
    for (let step = 0; step < steps; step++) {
      const { ids, lengths, targets, weights } = batchOf(Array.from({ length: batch }, () => school.text(next)))
      const warm = Math.min(1, (step + 1) / 20) * (1 - (0.95 * step) / steps)
      const loss = await bench.learn(model.logits(bench, ids, { lengths }), targets, { rate: rate * warm, weights })
      yield { type: 'step', cell, step: step + 1, steps, loss }
    }
    const seconds = (performance.now() - begun) / 1000
    const numbers = createHash('sha256')
    for (const one of await bench.numbers()) numbers.update(new Uint8Array(one.buffer, one.byteOffset, one.byteLength))
    const bytesPerToken = model.newCache(bench.inference).bytesPerToken
    const { parameters, name: kernels } = bench
    const of = await examine(bench, model, school, examined)
    return { ...of, bytesPerToken, parameters, seconds, kernels, digest: numbers.digest('hex') }
  } finally {
    await bench.close()
  }
}

/** Loss of texts that were not learned from: of answers where there are some, else of all that follows; and the share of answers that are right. */
async function examine(bench, model, { held }, count) {
  const next = random(EXAMINED_SEED)
  const [losses, right] = [[], []]
  for (let i = 0; i < count; i += 16) {
    const texts = Array.from({ length: Math.min(16, count - i) }, () => held(next))
    const { ids, lengths, targets, weights } = batchOf(texts)
    const asked = texts.some(({ answers }) => answers.length > 0)
    const wanted = targets.map((target, i) => (asked && weights[i] === 1 ? -1 : target))
    losses.push(await bench.loss(model.logits(bench, ids, { lengths }), wanted))
    if (!asked) continue
    const at = bench.inference
    const rows = await lastRows(
      at,
      model.logits(at, ids, { lengths }),
      ids.map(() => 1),
    )
    for (const [i, target] of wanted.entries()) if (target >= 0) right.push(likeliest(rows[i]) === target)
    await at.clear()
  }
  const loss = losses.reduce((a, b) => a + b, 0) / losses.length
  return { loss, right: right.length > 0 ? right.filter(Boolean).length / right.length : null }
}

function batchOf(texts) {
  return {
    ids: texts.flatMap(({ ids }) => ids),
    lengths: texts.map(({ ids }) => ids.length),
    targets: texts.flatMap(({ ids }) => [...ids.slice(1), -1]),
    /** Answers count more: most other words of these texts can only be guessed. */
    weights: texts.flatMap(({ ids, answers }) => ids.map((_, i) => (answers.includes(i + 1) ? ANSWER : 1))),
  }
}

async function schoolOf(task, { text }, texts) {
  if (!text) {
    const { WORDS, text } = { records, pairs }[task]
    return { words: WORDS.length, text, held: text }
  }
  if (texts[text] === undefined) throw new OptionError(`${task} learns a text that is not given; expected ${text}=FILE`)
  return bytesOf(texts[text])
}

async function resultIn(file, settings) {
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null) return null
  const result = JSON.parse(text)
  if (JSON.stringify(result.settings) === JSON.stringify(settings)) return result
  throw new OptionError(`${file} was learned with other settings; give another folder, or remove that file`)
}
