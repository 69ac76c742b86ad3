/**
 * R1's way in miniature (DeepSeek-R1, arXiv 2501.12948; GRPO, arXiv 2402.03300, section 4.1): supervised tuning on sums, then reinforcement learning. The
 * model answers each sum several times; an answer is right or not, which a line of code can check; answers that are better than their group's mean become
 * likelier, others less likely. No second model judges.
 */
import { build as decoder } from './mla.mjs'
import { drawn, lastRows, likeliest, random } from './random.mjs'

export const title = 'MLA: supervised tuning, then GRPO'

const SIGNS = [...'0123456789+=.']
const ID = new Map(SIGNS.map((sign, id) => [sign, id]))
/** The longest answer, "198.", in signs. */
const LONGEST = 4

export function build(bench, sizes) {
  const model = decoder(bench, { ...sizes, words: SIGNS.length })
  return {
    ...model,
    learnAll: settings => learnAll(bench, model, settings),
    examine: bench => examine(bench, model),
  }
}

/** "37+8=" and "45." as ids: numbers of one digit or two. */
function sum(next) {
  const [a, b] = [0, 1].map(() => next(next(2) ? 10 : 100))
  const ids = text => [...text].map(sign => ID.get(sign))
  return { question: ids(`${a}+${b}=`), answer: ids(`${a + b}.`), carries: (a % 10) + (b % 10) >= 10 }
}

const same = (a, b) => a.length === b.length && a.every((id, i) => id === b[i])
const sums = (next, count) => Array.from({ length: count }, () => sum(next))

/** Supervised tuning for two fifths of the steps, GRPO for the rest. */
async function* learnAll(bench, model, { steps, batch, rate, seed, rung }) {
  const next = random(seed + 1)
  const supervised = Math.floor((2 * steps) / 5)
  let before = null
  for (let step = 0; step < steps; step++) {
    if (step === supervised) before = await examine(bench.inference, model)
    const tuned = step < supervised
    const warm = Math.min(1, (step + 1) / 20, tuned ? 1 : 0.2)
    const loss = await (tuned ? tune : reinforce)(bench, model, sums(next, batch), { rate: rate * warm, next })
    yield { type: 'step', rung, step: step + 1, steps, loss }
  }
  return { supervised: before.accuracy }
}

/** The loss of right answers. */
function tune(bench, model, asked, { rate }) {
  return learnAnswers(
    bench,
    model,
    asked.map(({ question, answer }) => ({ question, answer, weight: 1 })),
    rate,
  )
}

const GROUP = 8

/** A step of GRPO, with the policy that has just answered: then the ratio of probabilities is 1, and its clipping does nothing. */
async function reinforce(bench, model, asked, { rate, next }) {
  const groups = asked.slice(0, Math.ceil(asked.length / GROUP))
  const all = groups.flatMap(one => Array(GROUP).fill(one))
  const answers = await answer(bench.inference, model, all, { next })
  const rewards = answers.map((found, i) => (same(found, all[i].answer) ? 1 : 0))
  const weighed = all.map(({ question }, i) => {
    const own = rewards.slice(i - (i % GROUP), i - (i % GROUP) + GROUP)
    const mean = own.reduce((a, b) => a + b, 0) / GROUP
    const deviation = Math.sqrt(own.reduce((a, b) => a + (b - mean) ** 2, 0) / GROUP)
    return { question, answer: answers[i], weight: (rewards[i] - mean) / (deviation + 1e-4) }
  })
  await learnAnswers(bench, model, weighed, rate)
  return 1 - rewards.reduce((a, b) => a + b, 0) / rewards.length
}

/** A step on -weight * log p of every sign of the answers. */
function learnAnswers(bench, model, texts, rate) {
  const ids = texts.flatMap(({ question, answer }) => [...question, ...answer])
  const lengths = texts.map(({ question, answer }) => question.length + answer.length)
  const targets = texts.flatMap(({ question, answer }) => [...Array(question.length - 1).fill(-1), ...answer, -1])
  const weights = texts.flatMap(({ weight }, i) => Array(lengths[i]).fill(weight))
  return bench.learn(model.logits(bench, ids, { lengths }), targets, { rate, weights })
}

/** What the model answers, up to the full stop: the likeliest signs, or with `next` signs drawn by their probabilities. */
async function answer(bench, model, asked, { next } = {}) {
  const texts = asked.map(({ question }) => [...question])
  for (let t = 0; t < LONGEST; t++) {
    const open = texts.filter(ids => ids.at(-1) !== ID.get('.'))
    if (open.length === 0) break
    const lengths = open.map(ids => ids.length)
    const rows = await lastRows(bench, model.logits(bench, open.flat(), { lengths }), lengths)
    for (const [i, row] of rows.entries()) open[i].push(next ? drawn(row, next) : likeliest(row))
    await bench.clear()
  }
  return texts.map((ids, i) => ids.slice(asked[i].question.length))
}

/** Shares of sums that are answered rightly, without and with a carry of the ones. */
async function examine(bench, model) {
  const asked = sums(random(1e6), 256)
  const answers = await answer(bench, model, asked)
  const share = among => {
    const right = asked.map((one, i) => ({ ...one, right: same(answers[i], one.answer) })).filter(among)
    return right.filter(({ right }) => right).length / right.length
  }
  return {
    loss: null,
    accuracy: { 'no carry': share(({ carries }) => !carries), carry: share(({ carries }) => carries) },
  }
}
