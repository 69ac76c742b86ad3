/** Keys of GGUF files whose layers carry a state: those that llama.cpp counts, and those that would make another model. */
import { describe, expect, it } from 'vitest'
import { GgufKeys } from '../../src/checkpoint/gguf/keys.ts'
import { Metadata } from '../../src/checkpoint/gguf/metadata.ts'
import { CheckpointError } from '../../src/errors.ts'
import { lfm2 } from '../../src/families/lfm2/gguf.ts'
import { qwen35 } from '../../src/families/qwen3-5/gguf.ts'
import type { ModelConfig } from '../../src/nn/config.ts'

it('a list of layers that carry a state has one for each module of multi-token prediction, too', () => {
  const keys = new GgufKeys('qwen35')
  keys.u32('{arch}.block_count', 4)
  const delta = { kind: 'delta', nHeads: 2, nKeyHeads: 1, keyDim: 8, valueDim: 8, kernel: 4 }
  const layers = [{ kind: 'grouped' }, delta, delta].map(attention => ({ attention }))
  qwen35.addKeys?.(keys, { layers } as unknown as ModelConfig, 0)
  expect(keys.entries.get('qwen35.attention.recurrent_layers')?.value).toEqual([false, true, true, false])
})

describe('LFM2', () => {
  const read = (key: string, value: number | boolean) => () => {
    const values = new Map<string, string | number | boolean>([
      ['general.architecture', 'lfm2'],
      [key, value],
    ])
    return lfm2.config({ metadata: new Metadata(values, 'm.gguf'), tensors: new Map(), ropeTensors: {} })
  }

  it.each([
    ['lfm2.attention.sliding_window', 128],
    ['lfm2.attention.causal', false],
  ] as const)('with another %s is refused', (key, value) => {
    expect(read(key, value)).toThrow(CheckpointError)
    expect(read(key, value)).toThrow(key)
  })
})
