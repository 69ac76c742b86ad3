/** What is met in place of a model: each is named as what it is, with what to do. */
import { describe, expect, it, test } from 'vitest'
import { filesFrom } from '../../src/checkpoint/source/checkpoint-files.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { CheckpointError, UnsupportedModelError } from '../../src/errors.ts'
import { openCheckpoint } from '../../src/model/open/open-checkpoint.ts'
import { failure } from '../support/hub-setup.ts'
import { writeSafetensors } from '../support/safetensors-writer.ts'

type Files = Readonly<Record<string, string | Uint8Array>>

const bytes = (data: string | Uint8Array) => (typeof data === 'string' ? new TextEncoder().encode(data) : data)
const open = (files: Files) =>
  openCheckpoint(
    filesFrom(
      'memory',
      Object.entries(files).map(([name, data]) => memorySource(name, bytes(data))),
    ),
  )
const latin1 = (text: string) => Uint8Array.from(text, c => c.charCodeAt(0))

const POINTER =
  'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n'
const weights = writeSafetensors({ a: { dtype: 'U8', shape: [1] } })
const whole: Files = { 'config.json': '{}', 'tokenizer.json': '{}', 'model.safetensors': weights }
const A = 'model-00001-of-00002.safetensors'
const B = 'model-00002-of-00002.safetensors'
const index = JSON.stringify({ weight_map: { a: A, b: B } })

describe('a Git LFS pointer is named', () => {
  test.each<[string, Files]>([
    ['model.safetensors', { ...whole, 'model.safetensors': POINTER }],
    ['config.json', { ...whole, 'config.json': POINTER }],
    ['tokenizer.json', { ...whole, 'tokenizer.json': POINTER }],
    ['tokenizer_config.json', { ...whole, 'tokenizer_config.json': POINTER }],
    ['chat_template.jinja', { ...whole, 'chat_template.jinja': POINTER }],
    ['m.gguf', { 'm.gguf': POINTER }],
    [B, { 'config.json': '{}', 'model.safetensors.index.json': index, [A]: weights, [B]: POINTER }],
    ['model.safetensors.index.json', { 'config.json': '{}', 'model.safetensors.index.json': POINTER, [A]: weights }],
  ])('in place of %s', async (name, files) => {
    const error = await failure(open(files))
    expect(error.message).toBe(
      `${name} is a Git LFS pointer of ${POINTER.length} bytes, in place of the 12345 bytes that it stands for: the content ` +
        'was never downloaded. Run "git lfs pull" in its folder, or download the file again',
    )
  })
})

test.each<[string, Uint8Array, string]>([
  ['a web page', bytes('<!DOCTYPE html>\n<html><title>Sign in</title>'), 'is a web page'],
  ['an answer of the hub', bytes('Access to model x is restricted.'), 'holds an error message ("Access to model x'],
  ["PyTorch's zip", latin1('PK\x03\x04rest of an archive'), 'is a zip archive, as PyTorch saves weights'],
  ['a pickle', latin1('\x80\x02}q\x00(X\x0a'), 'is a Python pickle'],
  ['HDF5', latin1('\x89HDF\r\n\x1a\n and more'), 'is an HDF5 file'],
  ['GGUF', latin1('GGUF\x03\x00\x00\x00 and more'), 'is a GGUF file; give its path as the model'],
  ['GGML', latin1('tjgg\x01\x00\x00\x00 and more'), 'is a GGML file from before GGUF'],
  ['gzip', latin1('\x1f\x8b\x08\x00 and more'), 'is compressed with gzip'],
])('what lies under the name of the weights is named: %s', async (_, content, message) => {
  const error = await failure(open({ 'config.json': '{}', 'model.safetensors': content }))
  expect(error).toBeInstanceOf(CheckpointError)
  expect(error.message).toContain(`model.safetensors ${message}`)
})

test.each<[string, string | undefined]>([
  ['<!DOCTYPE html>\n<html><title>Sign in</title>', 'chat_template.jinja is a web page'],
  ['Entry not found', 'chat_template.jinja holds an error message'],
  ['<html>{{ messages }}', undefined],
  ['', undefined],
])('in place of a chat template: %j', async (text, message) => {
  const opened = open({ ...whole, 'chat_template.jinja': text })
  if (message === undefined) expect((await opened).chatTemplate).toBe(text)
  else expect((await failure(opened)).message).toContain(message)
})

describe('a folder of another kind is named', () => {
  test.each<[string, Files, string]>([
    [
      'an adapter',
      { 'adapter_config.json': '{"base_model_name_or_path":"org/base"}', 'adapter_model.safetensors': weights },
      'memory is an adapter for "org/base" (adapter_config.json, as PEFT writes it), not a model; give its base model',
    ],
    [
      'an adapter beside a config',
      { 'config.json': '{}', 'adapter_config.json': 'damaged', 'adapter_model.safetensors': weights },
      'memory is an adapter (adapter_config.json',
    ],
    [
      'PyTorch',
      { 'config.json': '{}', 'pytorch_model-00001-of-00002.bin': '', 'pytorch_model-00002-of-00002.bin': '' },
      'has "pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"; expected model.safetensors',
    ],
    ['ONNX', { 'config.json': '{}', 'model.onnx': '', 'model.onnx_data': '' }, 'in the form of ONNX'],
    ['TensorFlow', { 'config.json': '{}', 'tf_model.h5': '' }, 'in the form of another engine'],
    ["a maker's own", { 'params.json': '{}', 'consolidated.00.pth': '' }, "It is its maker's own form"],
    ['half a download', { 'config.json': '{}', 'abc.incomplete': '' }, 'a download that was broken off'],
    ['a pipeline', { 'model_index.json': '{}' }, 'a pipeline that makes pictures'],
  ])('%s', async (_, files, message) => {
    const error = await failure(open(files))
    expect(error).toBeInstanceOf(UnsupportedModelError)
    expect(error.message).toContain(message)
  })
})

it("a folder of the hub's cache is named", async () => {
  const files = filesFrom('/x/hub/models--org--name/', [])
  await expect(openCheckpoint(files)).rejects.toThrow(
    'give one of its snapshots (snapshots/COMMIT) or the name org/name',
  )
})

describe('packed weights are named', () => {
  const wrong = writeSafetensors({
    'q.weight': { dtype: 'U32', shape: [4, 1] },
    'q.scales': { dtype: 'BF16', shape: [4, 1] },
  })

  test.each<[string, unknown, string]>([
    [
      'mlx-lm',
      { quantization: { group_size: 64, bits: 4 } },
      'is quantised by MLX (quantization: 4 bits, groups of 64)',
    ],
    ['mlx-lm, both keys', { quantization: { bits: 8 }, quantization_config: { bits: 8 } }, 'is quantised by MLX'],
    ...['awq', 'gptq', 'bitsandbytes', 'compressed-tensors', 'exl2', 'hqq', 'fbgemm_fp8', 'modelopt'].map(
      (method): [string, unknown, string] => [
        method,
        { quantization_config: { quant_method: method } },
        `is quantised with "${method}"`,
      ],
    ),
  ])('%s', async (_, config, message) => {
    const c = await open({ 'config.json': JSON.stringify(config), 'model.safetensors': wrong })
    for (const ask of [
      () => c.matrix('q.weight', 4, 8),
      () => c.matrix('k.weight', 4, 8),
      () => c.vector('q.scales', 4),
    ]) {
      expect(ask).toThrow(UnsupportedModelError)
      expect(ask).toThrow(message)
      expect(ask).toThrow("latentkit reads f32, f16, bf16, block-scaled fp8 and gpt-oss's mxfp4")
    }
  })

  test.each<[string, Parameters<typeof writeSafetensors>[0], string]>([
    ['GPTQ', { 'q.qweight': { dtype: 'I32', shape: [1, 4] } }, 'is quantised (tensor "q.qweight"'],
    ['compressed-tensors', { 'q.weight_packed': { dtype: 'I32', shape: [4, 1] } }, '(tensor "q.weight_packed"'],
    [
      'bitsandbytes',
      { 'q.weight': { dtype: 'U8', shape: [16, 1] }, 'q.weight.absmax': { dtype: 'F32', shape: [1] } },
      '(tensor "q.weight.absmax"',
    ],
    [
      'mlx-lm',
      { 'q.weight': { dtype: 'U32', shape: [4, 1] }, 'q.scales': { dtype: 'F16', shape: [4, 1] } },
      'is quantised by MLX (tensor "q.weight" is U32 and has scales)',
    ],
  ])('though config.json says nothing of it: %s', async (_, tensors, message) => {
    const c = await open({ 'config.json': '{}', 'model.safetensors': writeSafetensors(tensors) })
    const ask = () => c.matrix('q.weight', 4, 8)
    expect(ask).toThrow(UnsupportedModelError)
    expect(ask).toThrow(message)
  })

  it('what such a config says does not matter where the weights are plain', async () => {
    const config = JSON.stringify({ quantization: { bits: 4 }, quantization_config: { quant_method: 'awq' } })
    const plain = writeSafetensors({ 'q.weight': { dtype: 'F32', shape: [4, 8] } })
    const c = await open({ 'config.json': config, 'model.safetensors': plain })
    expect(c.matrix('q.weight', 4, 8).dtype).toBe('f32')
  })
})
