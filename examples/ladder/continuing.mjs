/** Learning, writing and examining of the rungs that continue a text. */
import { lastRows, likeliest, random } from './random.mjs'
import { batchOf, text, WORDS } from './sentences.mjs'
import { clocked } from './translating.mjs'

/** Facts of a text at most, while learning; and those of the texts of the examination. */
const MAX_FACTS = 8
const EXAMINED = [2, 4, 6, 8]

export function batches(next, size) {
  return batchOf(
    Array.from({ length: size }, () => {
      const facts = 1 + next(MAX_FACTS)
      return text(next, facts, facts)
    }),
  )
}

export function learn(bench, model, batch, rate) {
  if (model.learn) return model.learn(batch, rate)
  return bench.learn(model.logits(bench, batch.ids, batch), batch.targets, { rate, weights: batch.weights })
}

/** The loss of texts that were not learned from, and shares of words that are found again, by facts of the text. */
export async function examine(bench, model, count) {
  const next = random(1e6)
  const accuracy = {}
  for (const facts of EXAMINED) {
    const asked = Array.from({ length: count }, () => text(next, facts, 1))
    // Up to the answer, which a model without a causal mask would see.
    const before = asked.map(({ ids, answers }) => ids.slice(0, answers[0]))
    const lengths = before.map(ids => ids.length)
    const rows = await lastRows(bench.inference, model.logits(bench.inference, before.flat(), { lengths }), lengths)
    await bench.inference.clear()
    const right = rows.filter((row, i) => likeliest(row) === asked[i].ids[asked[i].answers[0]])
    accuracy[`${facts} facts`] = right.length / count
  }
  const texts = batches(next, count)
  return { loss: await bench.loss(model.logits(bench, texts.ids, texts), texts.targets), accuracy }
}

/** Ids, continued by the likeliest words, one at a time; with `cache`, what was computed of the words before is kept. */
export async function write(bench, model, ids, count, cache) {
  const found = [...ids]
  let given = found
  for (let t = 0; t < count; t++) {
    const at = cache ? { cache } : { lengths: [given.length] }
    const [row] = await lastRows(bench, model.logits(bench, given, at), [given.length])
    found.push(likeliest(row))
    given = cache ? found.slice(-1) : found
  }
  await bench.clear()
  return found
}

/** How a text goes on, as words. */
export async function sample(bench, model) {
  const { ids, answers } = text(random(3), 3, 3)
  const begun = ids.slice(0, answers[0])
  const words = ids => ids.map(id => WORDS[id]).join(' ')
  return { begun: words(begun), continued: words((await write(bench, model, begun, 10)).slice(begun.length)) }
}

/** Words per second that are written behind a text of 8 facts, with a cache and without. */
export async function speeds(bench, model) {
  const { ids } = text(random(7), 8, 8)
  const words = 48
  const at = cache => clocked(bench, words, () => write(bench, model, ids, words, cache?.()))
  return { cached: model.newCache ? await at(() => model.newCache(bench)) : null, uncached: await at() }
}
