/**
 * Trains the rungs that read one text and write another, and prints what share of dates each writes right, by length of the input:
 *
 *     node examples/ladder/run.mjs [--steps 400] [--batch 32] [--size 64] [--seed 0] [rnn additive]
 */
import { parseArgs } from 'node:util'
import { openLearner } from 'latentkit/training'
import * as additive from './additive.mjs'
import { batchOf, LETTERS, pair, random, WRITTEN } from './dates.mjs'
import * as rnn from './rnn.mjs'

export const RUNGS = { rnn, additive }

/** Trains a rung; returns how many numbers it learned, the losses, and how many of all dates it writes right, by length of the input. */
export async function trainRung(rung, { steps, batch, size, seed, rate = 3e-3, threads, told = () => {} }) {
  const bench = await openLearner({ ...(threads && { threads }) })
  const model = rung.build(bench, { letters: LETTERS.length, size, seed: 100 * seed })
  const next = random(seed + 1)
  const losses = []
  for (let step = 0; step < steps; step++) {
    const texts = batchOf(Array.from({ length: batch }, () => pair(next)))
    const { logits } = model.write(model.read(texts), texts.before, batch)
    const warm = Math.min(1, (step + 1) / 20) * (1 - (0.95 * step) / steps)
    losses.push(await bench.learn(logits, texts.targets, { rate: rate * warm }))
    told(step, losses.at(-1))
  }
  const unseen = random(seed + 1e6)
  const right = new Map()
  for (let n = 0; n < 4; n++) {
    const pairs = Array.from({ length: 64 }, () => pair(unseen))
    for (const [i, text] of (await written(bench, model, pairs)).entries()) {
      const bucket = 15 * Math.floor(pairs[i].source.length / 15)
      const [good, all] = right.get(bucket) ?? [0, 0]
      right.set(bucket, [good + (text === pairs[i].target ? 1 : 0), all + 1])
    }
  }
  const { parameters } = bench
  await bench.close()
  return { parameters, losses, right: new Map([...right].sort(([a], [b]) => a - b)) }
}

/** What a model writes, the likeliest letter each time. */
async function written(bench, model, pairs) {
  const texts = batchOf(pairs)
  const B = pairs.length
  let given = model.read(texts)
  let last = Array(B).fill(1)
  const found = pairs.map(() => '')
  for (let t = 0; t < WRITTEN; t++) {
    const { logits, next } = model.write(given, last, B)
    const numbers = await bench.read(logits)
    last = pairs.map((_, b) => {
      const row = numbers.subarray(b * LETTERS.length, (b + 1) * LETTERS.length)
      return row.indexOf(Math.max(...row))
    })
    for (const [b, id] of last.entries()) found[b] += LETTERS[id]
    given = next
  }
  await bench.clear()
  return found
}

if (process.argv[1] === import.meta.filename) {
  const whole = name => Number(values[name])
  const text = fallback => ({ type: 'string', default: fallback })
  const options = { steps: text('400'), batch: text('32'), size: text('64'), seed: text('0'), threads: text('0') }
  const { values, positionals } = parseArgs({ allowPositionals: true, options })
  const names = positionals.length > 0 ? positionals : Object.keys(RUNGS)
  for (const name of names) {
    if (!RUNGS[name]) throw new Error(`there is no rung ${name}; there are ${Object.keys(RUNGS).join(', ')}`)
    const told = (step, loss) => process.stderr.write(`\r${name}: step ${step + 1}, loss ${loss.toFixed(3)} `)
    const settings = {
      steps: whole('steps'),
      batch: whole('batch'),
      size: whole('size'),
      seed: whole('seed'),
      threads: whole('threads'),
    }
    const { parameters, right, losses } = await trainRung(RUNGS[name], { ...settings, told })
    process.stderr.write('\n')
    const shares = [...right].map(([from, [good, all]]) => `${from}-${from + 14}: ${Math.round((100 * good) / all)} %`)
    console.log(
      `${RUNGS[name].title}: ${parameters} parameters, loss ${losses.at(-1).toFixed(3)}; right by letters of the input ${shares.join(', ')}`,
    )
  }
}
