import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { refuseOrderedHeads } from '../../src/adapter/ordered-heads.ts'
import { UnsupportedModelError } from '../../src/errors.ts'
import { openModel } from '../../src/model/open/open-model.ts'

const QWEN = fileURLToPath(new URL('../fixtures/predictions/qwen3-5', import.meta.url))

it('changes of matrices whose heads llama.cpp has in another order are refused, others are not', async () => {
  const model = await openModel(QWEN)
  const check = (module: string) => () => refuseOrderedHeads('the adapter', module, model)
  for (const module of ['in_proj_qkv', 'in_proj_z', 'in_proj_b', 'out_proj']) {
    expect(check(`model.layers.0.linear_attn.${module}`)).toThrow(UnsupportedModelError)
  }
  expect(check('model.layers.0.linear_attn.out_proj')).toThrow('Merge the adapter into the folder of safetensors')
  check('model.layers.0.mlp.up_proj')()
  check('model.layers.1.self_attn.q_proj')()
})
