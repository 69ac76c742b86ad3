/** Families whose layers carry states: what is planned of them is what the engine keeps, and what does not run is said. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigReader } from '../../src/checkpoint/config-reader.ts'
import { parseConfig } from '../../src/families/index.ts'
import { textPart } from '../../src/model/open/text-part.ts'
import { modelCacheLayout } from '../../src/nn/cache-layout.ts'
import { hasStates } from '../../src/nn/config.ts'
import { cacheKinds } from '../../src/planning/cache-bytes.ts'
import { cacheFormat } from '../../src/planning/cache-format.ts'
import { planModelFromConfig, planModelFromJson } from '../../src/planning/index.ts'
import { weightParts } from '../../src/planning/weight-parts.ts'
import { familyFolders } from '../support/all-fixtures.ts'

const read = (folder: string) => {
  const file = join(folder, 'config.json')
  return { file, json: JSON.parse(readFileSync(file, 'utf8')) }
}
const parsed = (json: Record<string, unknown>, file: string) =>
  parseConfig(new ConfigReader(textPart(json as never, file).config, file))

const folders = [...familyFolders()].filter(([, folder]) => {
  const { json, file } = read(folder)
  return hasStates(parsed(json, file))
})

describe('layers with states', () => {
  it.skipIf(folders.length > 0)('need ../shared/fixtures/families, which is not here', () => {})

  it.each(folders)('%s: memory as planned', (_, folder) => {
    const { json, file } = read(folder)
    const config = parsed(json, file)
    const layout = modelCacheLayout(config.layers, 'f16', 64)
    const models = [planModelFromJson(json), planModelFromConfig(config)]
    for (const model of models) {
      const kinds = cacheKinds(model.layers, cacheFormat('f16'))
      expect(kinds.reduce((n, kind) => n + kind.stateBytes, 0)).toBe(layout.groups.find(g => g.states)?.blockBytes)
      expect(kinds.reduce((n, kind) => n + kind.bytesPerToken, 0)).toBe(layout.bytesPerToken)
    }
    const [own, other] = models.map(model =>
      weightParts(model, { draft: false }).map(w => [w.name, w.count, w.rows, w.cols]),
    )
    if (config.layers.every(({ mlp }) => mlp.kind === 'dense')) expect(other).toEqual(own)
  })
})

const LING = {
  model_type: 'bailing_hybrid',
  architectures: ['BailingMoeV3ForCausalLM'],
  ...{ vocab_size: 32, hidden_size: 16, intermediate_size: 24, num_hidden_layers: 3, num_attention_heads: 2 },
  ...{ num_key_value_heads: 2, head_dim: 8, kv_lora_rank: 8, qk_rope_head_dim: 4, qk_nope_head_dim: 4, v_head_dim: 4 },
  ...{ layer_group_size: 3, num_experts: 8, num_experts_per_tok: 2, moe_intermediate_size: 8, num_shared_experts: 1 },
  ...{ n_group: 2, topk_group: 1, first_k_dense_replace: 1, gated_attention_proj_granularity_type: 'head_wise' },
}

it('Ling 3.0 runs, Ling 2.5 is told apart by its architecture', () => {
  expect(parsed(LING, 'config.json').layers.map(layer => layer.attention.kind)).toEqual(['delta', 'delta', 'latent'])
  const old = { ...LING, architectures: ['BailingMoeV2_5ForCausalLM'] }
  expect(() => parsed(old, 'config.json')).toThrow(/Ling 2\.5 .* lightning attention, which is not supported/)
})

it.each([
  [{ hidden_act: 'gelu' }, /"hidden_act" is "gelu"; expected silu/],
  [{ gated_attention_proj_granularity_type: 'element_wise' }, /expected one of "head_wise"/],
  [{ no_kda_lora: false }, /"no_kda_lora" is false; expected true/],
  [{ score_function: 'softmax' }, /"score_function" is "softmax"/],
])('a setting that is not computed with is refused: %j', (change, message) => {
  expect(() => parsed({ ...LING, ...change }, 'config.json')).toThrow(message)
})
