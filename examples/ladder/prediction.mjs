/**
 * Multi-token prediction (DeepSeek-V3, arXiv 2412.19437, section 2.2): a module reads what the model knows of a word, and the word that follows, and predicts the
 * one after that. In training it is a second loss; in writing its guess can be checked instead of waited for.
 */
import { below, beside, latentLayer, linear, matrix, norm, vector } from 'latentkit/attention'
import { decoder } from './llama.mjs'
import { latentSizes } from './mla.mjs'
import { lastRows, likeliest, random } from './random.mjs'
import { batchOf, text } from './sentences.mjs'

export const title = 'MLA with multi-token prediction'

/** How much the second loss counts. */
const WEIGHT = 0.3

export function build(bench, sizes) {
  const { size: D, seed } = sizes
  const layer = seed => latentLayer(bench, { ...latentSizes(sizes), seed })
  const model = decoder(bench, sizes, layer)
  const module_ = decoder(bench, { ...sizes, words: 1, layers: 1, seed: seed + 500 }, layer)
  const join = matrix(bench, D, 2 * D, { seed: seed + 600 })
  const norms = [0, 1].map(() => vector(bench, D, 1))

  /** Logits of the word after the next, from states [T, D] and the ids of the next words (eq. 21 to 23): h' = M [norm(h); norm(embedding)]. */
  const further = (bench, states, next, at) => {
    const both = [states, model.embed(bench, next)].map((x, i) => norm(bench, x, norms[i]))
    const joined = linear(bench, beside(bench, both), join)
    return model.output(bench, module_.states(bench, joined, at))
  }

  return {
    ...model,
    further,
    learn({ ids, lengths, targets, weights }, rate) {
      const states = model.states(bench, model.embed(bench, ids), { lengths })
      const logits = below(bench, [
        model.output(bench, states),
        further(bench, states, [...ids.slice(1), 0], { lengths }),
      ])
      // The word after the next, where the text has one.
      const second = targets.map((target, i) => (target < 0 ? -1 : (targets[i + 1] ?? -1)))
      const all = [...weights, ...weights.map((_, i) => WEIGHT * (weights[i + 1] ?? 0))]
      return bench.learn(logits, [...targets, ...second], { rate, weights: all })
    },
  }
}

/** How often the module's guess of the word after the next is what the model itself says one word later. */
export async function notes({ inference: bench }, model) {
  const next = random(1e6)
  const { ids, lengths } = batchOf(Array.from({ length: 32 }, () => text(next, 4, 4)))
  const states = model.states(bench, model.embed(bench, ids), { lengths })
  const all = [model.output(bench, states), model.further(bench, states, [...ids.slice(1), 0], { lengths })]
  const ones = ids.map(() => 1)
  const [own, guessed] = [await lastRows(bench, all[0], ones), await lastRows(bench, all[1], ones)]
  await bench.clear()
  // All texts have one length; the last two words of each have no word after the next.
  const inText = ids.map((_, i) => i).filter(i => i % lengths[0] < lengths[0] - 2)
  const right = inText.filter(i => likeliest(guessed[i]) === likeliest(own[i + 1]))
  return [`${Math.round((100 * right.length) / inText.length)} % of its guesses are what the model says one word later`]
}
