/** What transformers 5 saves under other names than repositories have. */
import { expect, it } from 'vitest'
import { publishedNames } from '../../src/checkpoint/saved-names.ts'
import type { TensorEntry } from '../../src/checkpoint/tensor-entry.ts'

const named = (...names: string[]) =>
  publishedNames(new Map(names.map(name => [name, { name } as unknown as TensorEntry])))
const namesOf = (...names: string[]) =>
  [...named(...names).entries()].map(([key, { name }]) => (key === name ? key : ''))

it("Ling's layers with a state have their output under o_proj, those that attend under dense", () => {
  const [state, attends] = ['model.layers.0.attention.', 'model.layers.1.attention.']
  expect(namesOf(`${state}A_log`, `${state}dense.weight`, `${attends}dense.weight`)).toEqual([
    `${state}A_log`,
    `${state}o_proj.weight`,
    `${attends}dense.weight`,
  ])
  // As published: nothing is called otherwise, and nothing takes the place of another.
  const published = [`${state}A_log`, `${state}o_proj.weight`, `${state}dense.weight`]
  expect(namesOf(...published)).toEqual(published)
})

it("dense layers of Kimi Linear, and layers of Kimi K2.5's language model", () => {
  const moe = 'model.layers.1.block_sparse_moe.'
  const experts = [`${moe}gate.weight`, `${moe}experts.0.w1.weight`, `${moe}shared_experts.gate_proj.weight`]
  expect(namesOf('model.layers.0.block_sparse_moe.gate_proj.weight', ...experts)).toEqual([
    'model.layers.0.mlp.gate_proj.weight',
    ...experts,
  ])
  expect(namesOf('language_model.model.blocks.0.mlp.up_proj.weight', 'vision_tower.blocks.0.wqkv.weight')).toEqual([
    'language_model.model.layers.0.mlp.up_proj.weight',
    'vision_tower.blocks.0.wqkv.weight',
  ])
})
