/**
 * Experts in place of MLPs (DeepSeekMoE, arXiv 2401.06066): a router chooses two of eight small experts for each word, and one is shared by all. Each word is
 * computed with a part of the numbers. Balance needs no auxiliary loss (DeepSeek-V3, arXiv 2412.19437, section 2.1.2): after each step experts that were chosen
 * too often are chosen less.
 */
import { expertLayer, expertMlp, latentLayer } from 'latentkit/attention'
import { decoder } from './llama.mjs'
import { latentSizes } from './mla.mjs'
import { random } from './random.mjs'
import { batchOf, text } from './sentences.mjs'

export const title = 'MLA with experts (DeepSeekMoE)'

const [EXPERTS, CHOSEN, RATE] = [8, 2, 0.01]

export function build(bench, sizes) {
  const { size } = sizes
  const routed = []
  const mixture = seed => {
    const sizes = {
      hiddenSize: size,
      nExperts: EXPERTS,
      topK: CHOSEN,
      expertSize: size / 2,
      sharedSize: size / 2,
      seed,
    }
    const layer = expertLayer(bench, sizes)
    return (at, x) => {
      const found = expertMlp(at, layer, x)
      if (at === bench) routed.push([layer, found])
      return found.y
    }
  }
  const model = decoder(bench, sizes, seed => latentLayer(bench, { ...latentSizes(sizes), seed }), mixture)
  return {
    ...model,
    /** How many words chose each expert, of each layer. */
    async loads({ ids, lengths }) {
      routed.length = 0
      model.logits(bench, ids, { lengths })
      const loads = []
      for (const [layer, found] of routed) loads.push([...(await bench.balance(layer, found, 0))])
      await bench.clear()
      return loads
    },
    async learn(batch, rate) {
      routed.length = 0
      const logits = model.logits(bench, batch.ids, batch)
      for (const [layer, found] of routed) await bench.balance(layer, found, RATE)
      return bench.learn(logits, batch.targets, { rate, weights: batch.weights })
    },
  }
}

/** How even the choice is. */
export async function notes(_, model) {
  const next = random(1e6)
  const loads = await model.loads(batchOf(Array.from({ length: 32 }, () => text(next, 8, 8))))
  const busiest = loads.map(of => (Math.max(...of) * EXPERTS) / of.reduce((a, b) => a + b, 0))
  return [
    `the busiest expert of each layer is chosen ${busiest.map(x => x.toFixed(1)).join(' and ')} times as often as the mean`,
  ]
}
