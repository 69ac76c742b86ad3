/** Climbs the ladder: each rung is learned, or taken from a folder that holds what was learned, then examined. `latentkit ladder` shows what this yields. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OptionError } from 'latentkit'
import { openLearner } from 'latentkit/training'
import * as continuing from './continuing.mjs'
import * as dates from './dates.mjs'
import { readNumbers, whole, writeNumbers } from './files.mjs'
import { shares } from './pictures.mjs'
import { random } from './random.mjs'
import { load, RUNGS } from './rungs.mjs'
import * as sentences from './sentences.mjs'
import * as translating from './translating.mjs'

export { RUNGS } from './rungs.mjs'

/** Texts of each length in the examination. */
const EXAMINED = { dates: 32, sentences: 128 }
const SCHOOLS = { dates: translating, sentences: continuing }
const WORDS = { dates: dates.WORDS.length, sentences: sentences.WORDS.length }

/**
 * Yields, for each rung: { type: 'begin' }, while it learns { type: 'step', step, steps, loss }, and { type: 'result' } with a row of the table; { type: 'picture', file } for each picture. `folder`:
 * where what is learned is kept. `steps`: for all rungs, `texts`: of each length in the
 * examination; default: their own. Throws where the folder has a rung that was learned with other settings.
 */
export async function* climb(folder, { rungs = Object.keys(RUNGS), steps, texts, seed = 0, threads } = {}) {
  await mkdir(folder, { recursive: true })
  const results = []
  for (const name of rungs) {
    const settings = { ...RUNGS[name], seed, ...(steps !== undefined && { steps }) }
    const rung = await load(name)
    const begun = { rung: name, title: rung.title, task: settings.task, steps: settings.steps }
    yield { type: 'begin', ...begun }
    const bench = await openLearner({ ...(threads && { threads }) })
    try {
      const model = rung.build(bench, { ...settings, words: WORDS[settings.task], seed: 100 * seed })
      let kept = await restore(bench, folder, name, settings)
      if (!kept) {
        const clock = clocks()
        const learned = yield* learning(bench, model, settings, name)
        kept = { settings, ...clock(), ...learned }
        await keep(bench, folder, name, kept)
      }
      const { seconds, processor, supervised } = kept
      const row = { ...begun, parameters: bench.parameters, seconds, processor, ...(supervised && { supervised }) }
      const clock = clocks()
      const notes = (await rung.notes?.(bench, model)) ?? []
      const found = await examined(bench, model, settings.task, texts)
      const result = { ...row, ...found, notes, examination: clock().processor }
      results.push(result)
      yield { type: 'result', ...result }
      yield* written(folder, (await SCHOOLS[settings.task]?.pictures?.(bench.inference, model, begun)) ?? {})
    } finally {
      await bench.close()
    }
  }
  for (const task of Object.keys(SCHOOLS)) {
    const own = results.filter(result => result.task === task)
    if (own.length === 0) continue
    const series = Object.fromEntries(own.map(({ title, accuracy }) => [title, Object.values(accuracy)]))
    const chart = shares('What is right, by length of the text', Object.keys(own[0].accuracy), series)
    yield* written(folder, { [`${task}.svg`]: chart })
  }
}

async function* written(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name)
    await whole(file, text)
    yield { type: 'picture', file }
  }
}

async function* learning(bench, model, { task, steps, batch, rate, seed }, name) {
  if (model.learnAll) return yield* model.learnAll({ steps, batch, rate, seed, rung: name })
  const { batches, learn } = SCHOOLS[task]
  const next = random(seed + 1)
  for (let step = 0; step < steps; step++) {
    const warm = Math.min(1, (step + 1) / 20) * (1 - (0.95 * step) / steps)
    const loss = await learn(bench, model, batches(next, batch), rate * warm)
    yield { type: 'step', rung: name, step: step + 1, steps, loss }
  }
  return {}
}

/** Begins to count: seconds on the wall, and of processors, all threads together. */
function clocks() {
  const [begun, used] = [performance.now(), process.cpuUsage()]
  return () => {
    const { user, system } = process.cpuUsage(used)
    return { seconds: (performance.now() - begun) / 1000, processor: (user + system) / 1e6 }
  }
}

/** What is found of a model: loss, accuracy by length, what it caches, and how fast it writes. */
async function examined(bench, model, task, texts = EXAMINED[task]) {
  if (model.examine) return model.examine(bench)
  const school = SCHOOLS[task]
  const found = await school.examine(bench, model, texts)
  // The encoder-decoders count per word that was read.
  const bytesPerToken = model.kept
    ? model.kept(33) - model.kept(32)
    : (model.newCache?.(bench.inference).bytesPerToken ?? null)
  const text = school.sample && { sample: await school.sample(bench.inference, model) }
  return { ...found, bytesPerToken, speed: await school.speeds(bench.inference, model), ...text }
}

/** Writes what was learned: NAME.f32, all numbers one after the other, and then NAME.json, so that the second is there only with the first. */
async function keep(bench, folder, name, kept) {
  await writeNumbers(join(folder, `${name}.f32`), await bench.numbers())
  await whole(join(folder, `${name}.json`), `${JSON.stringify(kept)}\n`)
}

/** What was learned before with the same settings; null: nothing. */
async function restore(bench, folder, name, settings) {
  const text = await readFile(join(folder, `${name}.json`), 'utf8').catch(() => null)
  if (text === null) return null
  const kept = JSON.parse(text)
  for (const [setting, value] of Object.entries(settings)) {
    if (kept.settings[setting] === value) continue
    const met = `${name}.json was learned with ${setting} ${kept.settings[setting]}; expected ${value}`
    throw new OptionError(`${met}. Give another folder, or remove that file`)
  }
  const lengths = (await bench.numbers()).map(({ length }) => length)
  const numbers = await readNumbers(join(folder, `${name}.f32`), lengths).catch(error => {
    if (!(error instanceof RangeError)) throw error
    throw new OptionError(`${error.message}, as the rung is written now. Give another folder, or remove ${name}.json`)
  })
  await bench.restore(numbers)
  return kept
}
