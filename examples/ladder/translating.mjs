/** Learning, writing and examining of the rungs that read one text and write another. */
import { batchOf, pair, WORDS } from './dates.mjs'
import { alignment } from './pictures.mjs'
import { likeliest, random } from './random.mjs'

/** Dates of a text at most. */
export const DATES = 4

export function batches(next, size) {
  const dates = 1 + next(DATES)
  return batchOf(Array.from({ length: size }, () => pair(next, dates)))
}

export function learn(bench, model, texts, rate) {
  return bench.learn(logitsOf(bench, model, texts), texts.targets, { rate })
}

const logitsOf = (bench, model, texts) => model.write(bench, model.read(bench, texts), texts.before, texts.size).logits

/** What a model writes of texts, the likeliest letter each time. */
export async function write(bench, model, pairs, { patterns } = {}) {
  const texts = batchOf(pairs)
  let given = model.read(bench, texts)
  let last = pairs.map(() => 1)
  const found = pairs.map(() => '')
  for (let t = 0; t < pairs[0].target.length; t++) {
    const { logits, next } = model.write(bench, given, last, pairs.length, { patterns })
    const numbers = await bench.read(logits)
    const width = logits.shape[1]
    last = pairs.map((_, b) => likeliest(numbers.subarray(b * width, (b + 1) * width)))
    for (const [b, id] of last.entries()) found[b] += WORDS[id]
    given = next
  }
  return found
}

/** The loss of texts that were not learned from, and shares of dates that are written rightly, by dates of the text. */
export async function examine(bench, model, count) {
  const next = random(1e6)
  const accuracy = {}
  for (let dates = 1; dates <= DATES; dates++) {
    const pairs = Array.from({ length: count }, () => pair(next, dates))
    const texts = await write(bench.inference, model, pairs)
    await bench.inference.clear()
    const split = text => text.split(/[ .]/).slice(0, dates)
    const right = pairs.flatMap(({ target }, i) => split(target).map((date, d) => date === split(texts[i])[d]))
    accuracy[dates === 1 ? '1 date' : `${dates} dates`] = right.filter(Boolean).length / right.length
  }
  const texts = batchOf(Array.from({ length: count }, () => pair(next, DATES)))
  return { loss: await bench.loss(logitsOf(bench, model, texts), texts.targets), accuracy }
}

/** Where each letter came from: of models that attend, what they looked at while they wrote, the mean over layers and heads. */
export async function pictures(bench, model, { rung, title }) {
  const one = pair(random(11), 2)
  const patterns = []
  const [text] = await write(bench, model, [one], { patterns })
  const columns = one.source
  const perLetter = patterns.length / text.length
  const weights = Array.from(text, () => columns.map(() => 0))
  for (const [i, pattern] of patterns.entries()) {
    const numbers = await bench.read(pattern)
    const share = columns.length / numbers.length / perLetter
    for (const [j, weight] of numbers.entries())
      weights[Math.floor(i / perLetter)][j % columns.length] += share * weight
  }
  await bench.clear()
  return patterns.length > 0 ? { [`${rung}.svg`]: alignment(title, [...text], columns, weights) } : {}
}

/** Letters per second of one text, with what was read kept, and with all read and written again for each letter. */
export async function speeds(bench, model) {
  const one = pair(random(7), 2)
  const texts = batchOf([one])
  const letters = one.target.length
  const kept = await clocked(bench, letters, () => write(bench, model, [one]))
  const again = await clocked(bench, letters, async () => {
    for (let t = 1; t <= letters; t++) {
      await bench.read(model.write(bench, model.read(bench, texts), texts.before.slice(0, t), 1).logits)
      await bench.clear()
    }
  })
  return { cached: kept, uncached: again }
}

/** The better of two, after one that warms up. */
export async function clocked(bench, count, work) {
  let best = 0
  for (let i = 0; i < 3; i++) {
    const begun = performance.now()
    await work()
    if (i > 0) best = Math.max(best, (1000 * count) / (performance.now() - begun))
    await bench.clear()
  }
  return best
}
