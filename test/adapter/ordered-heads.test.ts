import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { refuseOrderedHeads } from '../../src/adapter/ordered-heads.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { prepareAdapterGguf } from '../../src/conversion/adapter/gguf.ts'
import { UnsupportedModelError } from '../../src/errors.ts'
import type { WeightSource } from '../../src/kernels/contract/weights.ts'
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

it("a change of what llama.cpp has as two matrices is refused: Qwen3-Next's of q, k, v and gate", async () => {
  const model = await openModel(fileURLToPath(new URL('../fixtures/families/qwen3-next', import.meta.url)))
  const matrix = (name: string, rows: number, cols: number): WeightSource => {
    const source = memorySource(name, new Uint8Array(4 * rows * cols))
    return { name, dtype: 'f32', rows, cols, bytes: { source, offset: 0, length: source.size } }
  }
  const changed = (module: string, rows: number) => () =>
    prepareAdapterGguf(
      { name: 'the adapter', modules: [{ module, down: matrix('a', 2, 48), up: matrix('b', rows, 2), scale: 1 }] },
      model,
      undefined,
    )
  const at = 'model.layers.0.linear_attn.'
  expect(changed(`${at}in_proj_qkvz`, 208)).toThrow('llama.cpp has it in two parts, which no adapter changes')
  changed(`${at}in_proj_ba`, 8)()
})
