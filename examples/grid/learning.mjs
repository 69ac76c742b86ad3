/** How a cell learns, and what is found of it. */
import { createHash } from 'node:crypto'
import { openLearner } from 'latentkit/training'
import { lastRows, likeliest, random } from '../ladder/random.mjs'
import { build } from './model.mjs'

const ANSWER = 4
/** Of the texts that are examined: none that is learned from begins there. */
const EXAMINED_SEED = 1e6
/** Steps whose mean loss shows whether learning went back. */
const LOOKED_AT = 10

/** Yields { type: 'step', cell, step, steps, loss }; returns what was found, and `numbers`, weight by weight. `begin`: gives those to begin with, for weights of these lengths; null: they are drawn. */
export async function* learned(cell, settings, school, { begin, threads }) {
  const { steps, batch, rate, seed, examined } = settings
  const bench = await openLearner({ ...(threads && { threads }) })
  try {
    const model = build(bench, { ...settings, words: school.words, seed: 100 * seed })
    if (begin) await bench.restore(await begin((await bench.numbers()).map(({ length }) => length)))
    const next = random(seed + 1)
    const since = performance.now()
    const losses = []
    for (let step = 0; step < steps; step++) {
      const { ids, lengths, targets, weights } = batchOf(Array.from({ length: batch }, () => school.text(next)))
      const warm = Math.min(1, (step + 1) / 20) * (1 - (0.95 * step) / steps)
      const loss = await bench.learn(model.logits(bench, ids, { lengths }), targets, { rate: rate * warm, weights })
      losses.push(loss)
      yield { type: 'step', cell, step: step + 1, steps, loss }
    }
    const seconds = (performance.now() - since) / 1000
    const numbers = await bench.numbers()
    const hash = createHash('sha256')
    for (const one of numbers) hash.update(new Uint8Array(one.buffer, one.byteOffset, one.byteLength))
    const bytesPerToken = model.newCache(bench.inference).bytesPerToken
    const { parameters, name: kernels } = bench
    const of = await examine(bench, model, school, examined)
    const found = {
      ...of,
      rise: riseOf(losses),
      bytesPerToken,
      parameters,
      seconds,
      kernels,
      digest: hash.digest('hex'),
    }
    return { found, numbers }
  } finally {
    await bench.close()
  }
}

/** How far the loss has gone up again: the largest mean of ten steps above the lowest before it. */
export function riseOf(losses) {
  let [rise, lowest] = [0, Number.POSITIVE_INFINITY]
  for (let i = 0; i + LOOKED_AT <= losses.length; i += LOOKED_AT) {
    const mean = losses.slice(i, i + LOOKED_AT).reduce((a, b) => a + b, 0) / LOOKED_AT
    rise = Math.max(rise, mean - lowest)
    lowest = Math.min(lowest, mean)
  }
  return rise
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
