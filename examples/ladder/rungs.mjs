/** The rungs in order: the file of each, its task, and how long it learns. */

const dates = { task: 'dates', size: 64, heads: 4, layers: 2, rate: 5e-3, batch: 16, steps: 600 }
const sentences = { task: 'sentences', size: 64, heads: 4, layers: 2, rate: 2e-3, batch: 16, steps: 1000 }

export const RUNGS = {
  rnn: { ...dates, steps: 3000, batch: 32 },
  additive: dates,
  transformer: { ...dates, steps: 1500 },
  'plain-dots': sentences,
  'self-attention': sentences,
  'no-mask': sentences,
  'many-heads': sentences,
  gpt: sentences,
  'pre-norm': sentences,
  llama: sentences,
  mqa: sentences,
  gqa: sentences,
  'mla-without-rope': sentences,
  'raised-keys': { ...sentences, steps: 2000 },
  mla: sentences,
  experts: sentences,
  prediction: sentences,
  sums: { task: 'sums', size: 64, heads: 4, layers: 2, rate: 2e-3, batch: 64, steps: 1000 },
}

/** The module of a rung. */
export function load(name) {
  return import(new URL(`${name}.mjs`, import.meta.url).href)
}
