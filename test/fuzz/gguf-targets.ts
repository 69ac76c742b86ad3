import { readGgufHeader } from '../../src/checkpoint/gguf/header.ts'
import type { Metadata } from '../../src/checkpoint/gguf/metadata.ts'
import { filesFrom } from '../../src/checkpoint/source/checkpoint-files.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { LatentkitError } from '../../src/errors.ts'
import { surveyWeights } from '../../src/model/load.ts'
import { openCheckpoint } from '../../src/model/open/open-checkpoint.ts'
import { modelOf } from '../../src/model/open/opened-model.ts'
import { weightBytes } from '../../src/tensor/dtype.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { CountingSource } from '../support/counting-source.ts'
import { type GgufTensorToWrite, type GgufToWrite, type GgufValue, writeGguf } from '../support/gguf-writer.ts'
import type { Rng } from '../support/rng.ts'
import type { FuzzTarget } from './fuzzer.ts'
import { mutate, pick } from './mutate.ts'

/** A promise broken by the reader, as against an error that it reports. */
class Broken extends Error {}

function promise(kept: boolean, what: string): void {
  if (!kept) throw new Broken(what)
}

const f32 = (...ne: number[]): GgufTensorToWrite => ({
  type: 0,
  ne,
  bytes: new Uint8Array(4 * ne.reduce((n, d) => n * d, 1)),
})
const q8 = (...ne: number[]): GgufTensorToWrite => ({
  type: 8,
  ne,
  bytes: new Uint8Array((34 / 32) * ne.reduce((n, d) => n * d, 1)),
})

const tokens = ['<s>', '</s>', 'a', 'b', 'ab', 'Ġ']
const byteLevel: Record<string, GgufValue> = {
  'tokenizer.ggml.model': ['string', 'gpt2'],
  'tokenizer.ggml.pre': ['string', 'qwen2'],
  'tokenizer.ggml.tokens': ['array', 'string', tokens],
  'tokenizer.ggml.token_type': ['array', 'i32', [3, 3, 1, 1, 1, 1]],
  'tokenizer.ggml.merges': ['array', 'string', ['a b']],
  'tokenizer.ggml.eos_token_id': ['u32', 1],
  'tokenizer.chat_template': ['string', '{{ messages }}'],
}
const sentencePiece: Record<string, GgufValue> = {
  'tokenizer.ggml.model': ['string', 'llama'],
  'tokenizer.ggml.tokens': ['array', 'string', tokens],
  'tokenizer.ggml.scores': ['array', 'f32', [0, 0, -1, -2, -3, -4]],
  'tokenizer.ggml.token_type': ['array', 'i32', [3, 3, 1, 1, 1, 6]],
  'tokenizer.ggml.bos_token_id': ['u32', 0],
  'tokenizer.ggml.add_eos_token': ['bool', true],
}

const llama: GgufToWrite = {
  metadata: {
    'general.architecture': ['string', 'llama'],
    'general.alignment': ['u32', 32],
    'llama.block_count': ['u32', 1],
    'llama.context_length': ['u32', 64],
    'llama.embedding_length': ['u32', 32],
    'llama.feed_forward_length': ['u32', 32],
    'llama.attention.head_count': ['u32', 4],
    'llama.attention.head_count_kv': ['array', 'u32', [2]],
    'llama.attention.layer_norm_rms_epsilon': ['f32', 1e-5],
    'llama.rope.freq_base': ['f32', 1e4],
    'llama.rope.scaling.type': ['string', 'linear'],
    'llama.rope.scaling.factor': ['f64', 2],
    ...byteLevel,
  },
  tensors: {
    'token_embd.weight': q8(32, 6),
    'rope_freqs.weight': { ...f32(4), bytes: new Uint8Array(Float32Array.of(1, 1, 2, 8).buffer) },
    'blk.0.attn_norm.weight': f32(32),
    'blk.0.attn_q.weight': q8(32, 32),
    'blk.0.attn_k.weight': q8(32, 16),
    'blk.0.attn_v.weight': q8(32, 16),
    'blk.0.attn_output.weight': q8(32, 32),
    'blk.0.ffn_norm.weight': f32(32),
    'blk.0.ffn_gate.weight': q8(32, 32),
    'blk.0.ffn_up.weight': q8(32, 32),
    'blk.0.ffn_down.weight': q8(32, 32),
    'output_norm.weight': f32(32),
  },
}

const deepseek2: GgufToWrite = {
  metadata: {
    'general.architecture': ['string', 'deepseek2'],
    'deepseek2.block_count': ['u32', 1],
    'deepseek2.context_length': ['u32', 64],
    'deepseek2.embedding_length': ['u32', 32],
    'deepseek2.feed_forward_length': ['u32', 32],
    'deepseek2.attention.head_count': ['u32', 2],
    'deepseek2.attention.head_count_kv': ['u32', 1],
    'deepseek2.attention.layer_norm_rms_epsilon': ['f32', 1e-6],
    'deepseek2.attention.kv_lora_rank': ['u32', 32],
    'deepseek2.attention.key_length': ['u32', 40],
    'deepseek2.attention.value_length': ['u32', 32],
    'deepseek2.attention.key_length_mla': ['u32', 40],
    'deepseek2.attention.value_length_mla': ['u32', 32],
    'deepseek2.rope.dimension_count': ['u32', 8],
    'deepseek2.rope.scaling.type': ['string', 'yarn'],
    'deepseek2.rope.scaling.factor': ['f32', 4],
    'deepseek2.rope.scaling.yarn_log_multiplier': ['f32', 0.1],
    'deepseek2.leading_dense_block_count': ['u32', 0],
    'deepseek2.expert_count': ['u32', 2],
    'deepseek2.expert_used_count': ['u32', 1],
    'deepseek2.expert_feed_forward_length': ['u32', 32],
    'deepseek2.expert_gating_func': ['u32', 2],
    'deepseek2.expert_weights_norm': ['bool', true],
    ...sentencePiece,
  },
  tensors: {
    'token_embd.weight': q8(32, 6),
    'output.weight': q8(32, 6),
    'blk.0.attn_norm.weight': f32(32),
    'blk.0.attn_q.weight': q8(32, 80),
    'blk.0.attn_kv_a_mqa.weight': q8(32, 40),
    'blk.0.attn_kv_a_norm.weight': f32(32),
    'blk.0.attn_k_b.weight': q8(32, 32, 2),
    'blk.0.attn_v_b.weight': q8(32, 32, 2),
    'blk.0.attn_output.weight': q8(64, 32),
    'blk.0.ffn_norm.weight': f32(32),
    'blk.0.ffn_gate_inp.weight': f32(32, 2),
    'blk.0.exp_probs_b.bias': f32(2),
    'blk.0.ffn_gate_up_exps.weight': q8(32, 64, 2),
    'blk.0.ffn_down_exps.weight': q8(32, 32, 2),
    'output_norm.weight': f32(32),
  },
}

const MODELS = [llama, deepseek2]

const header: FuzzTarget = {
  name: 'gguf',
  seeds: [writeGguf({}), ...MODELS.map(writeGguf)],
  mutate: mutateGguf,
  async run(input) {
    const source = new CountingSource(memorySource('fuzzed', input))
    try {
      const { metadata, tensors } = await readGgufHeader(source)
      readAll(metadata)
      const places = [...tensors.values()].map(t => t.bytes).sort((a, b) => a.offset - b.offset)
      let end = 24
      for (const { offset, length } of places) {
        promise(offset >= end && length > 0 && offset + length <= input.length, `bytes ${offset} + ${length}`)
        end = offset + length
      }
    } catch (error) {
      if (error instanceof LatentkitError) promise(error.message.startsWith('fuzzed'), `unnamed file: ${error.message}`)
      throw error
    }
  },
}

/** Every question about every key: an answer of the right type, or an error of the reader. */
function readAll(m: Metadata): void {
  for (const key of m.keys().slice(0, 100)) {
    const ask = (question: () => unknown, test: (answer: unknown) => boolean, what: string) => {
      let answer: unknown
      try {
        answer = question()
      } catch (error) {
        if (error instanceof LatentkitError) return
        throw error
      }
      promise(test(answer), `${key}: no ${what}`)
    }
    ask(() => m.int(key), Number.isSafeInteger, 'integer')
    ask(() => m.number(key), Number.isFinite, 'number')
    ask(
      () => m.string(key),
      v => typeof v === 'string',
      'string',
    )
    ask(
      () => m.optionalBool(key),
      v => typeof v === 'boolean',
      'boolean',
    )
    ask(
      () => m.strings(key),
      v => (v as unknown[]).every(s => typeof s === 'string'),
      'strings',
    )
    ask(
      () => m.optionalInts(key),
      v => (v as unknown[]).every(Number.isSafeInteger),
      'integers',
    )
  }
}

/** The whole way from a file to a model that could be loaded, and its tokenizer. */
const model: FuzzTarget = {
  name: 'gguf-model',
  seeds: MODELS.map(writeGguf),
  mutate: mutateGguf,
  async run(input) {
    const files = filesFrom('fuzzed', [memorySource('fuzzed.gguf', input)])
    const opened = await openCheckpoint(files)
    for (const { name, bytes } of opened.tensors.values()) {
      promise(bytes.offset + bytes.length <= input.length, `tensor ${name} beyond the end`)
    }
    const model = modelOf(opened)
    const { layers } = model.config
    promise(layers.length <= 10_000, `${layers.length} layers`)
    for (const { name, dtype, rows, cols, bytes } of await surveyWeights(model)) {
      promise(bytes.length === weightBytes(dtype, rows, cols), `${name} has ${bytes.length} bytes`)
    }
    const tokenizer = createTokenizer({
      tokenizer: opened.tokenizer,
      config: opened.tokenizerConfig,
      folder: 'fuzzed/',
    })
    for (const id of tokenizer.encode('ab a</s> ä')) promise(Number.isInteger(id), `id ${id}`)
  },
}

const NUMBERS = [
  ...[0n, 1n, 2n, 3n, 7n, 8n, 9n, 12n, 13n, 31n, 33n, 64n, 255n, 4096n, 65_535n],
  ...[2n ** 24n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n],
]

/** Half of the inputs are well-formed files that say something odd: those get past the door. */
function mutateGguf(rng: Rng, pool: readonly Uint8Array[]): Uint8Array {
  const way = rng.uniform()
  if (way < 0.1) return mutate(rng, pool)
  return way < 0.5 ? mutateBytes(rng, pool) : writeGguf(mutateModel(rng, pick(rng, MODELS)))
}

/** Numbers and lengths lie in the header, and most of a file is data: so there, and in whole fields, more often. */
function mutateBytes(rng: Rng, pool: readonly Uint8Array[]): Uint8Array {
  const bytes = Uint8Array.from(pick(rng, pool))
  if (bytes.length < 32) return bytes
  const size = Math.min(bytes.length, 2600)
  const view = new DataView(bytes.buffer)
  do {
    const at = 4 + rng.below(size - 12)
    const change = rng.uniform()
    if (change < 0.2) view.setBigUint64(at, pick(rng, NUMBERS), true)
    else if (change < 0.4) view.setUint32(at, Number(pick(rng, NUMBERS) & 0xffff_ffffn), true)
    else if (change < 0.7) bytes[at] = rng.below(256)
    else if (change < 0.9) bytes[at] = ((bytes[at] as number) + pick(rng, [-1, 1])) & 255
    else bytes.copyWithin(at, rng.below(size), rng.below(size))
  } while (rng.uniform() < 0.4)
  return rng.uniform() < 0.05 ? bytes.subarray(0, rng.below(bytes.length)) : bytes
}

function mutateModel(rng: Rng, { metadata = {}, tensors = {} }: GgufToWrite): GgufToWrite {
  const changed = { metadata: { ...metadata }, tensors: { ...tensors } }
  do {
    if (rng.uniform() < 0.6) changeKey(rng, changed.metadata)
    else changeTensor(rng, changed.tensors)
  } while (rng.uniform() < 0.4)
  return changed
}

function changeKey(rng: Rng, metadata: Record<string, GgufValue>): void {
  const key = pick(rng, Object.keys(metadata))
  const number = Number(pick(rng, NUMBERS))
  const way = rng.below(6)
  if (way === 0) delete metadata[key]
  else if (way === 1) metadata[key] = ['f32', pick(rng, [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, number])]
  else if (way === 2) metadata[key] = ['array', 'i32', Array.from({ length: rng.below(8) }, () => rng.below(7))]
  else if (way === 3)
    metadata[key] = ['string', pick(rng, ['', 'gemma3', 'gpt2', 'llama', 'yarn', 'default', 'toString'])]
  else if (way === 4) metadata[key] = pick(rng, Object.values(pick(rng, MODELS).metadata ?? {}))
  else metadata[key] = ['u32', number % 2 ** 31]
}

function changeTensor(rng: Rng, tensors: Record<string, GgufTensorToWrite>): void {
  const name = pick(rng, Object.keys(tensors))
  const tensor = tensors[name] as GgufTensorToWrite
  const way = rng.below(6)
  if (way === 0) delete tensors[name]
  else if (way === 1)
    tensors[name] = { ...tensor, ne: tensor.ne.map(d => (rng.below(2) ? d : pick(rng, [1, 2, d + 1, d * 2]))) }
  else if (way === 2) tensors[name] = { ...tensor, ne: [...tensor.ne, Number(pick(rng, NUMBERS))] }
  else if (way === 3) tensors[name] = { ...tensor, type: rng.below(45) }
  else if (way === 4) tensors[name] = { ...tensor, offset: 32 * rng.below(200) }
  else tensors[name] = pick(rng, Object.values(pick(rng, MODELS).tensors ?? {}))
}

/** With the share of all runs that each gets. */
export const GGUF_TARGETS: readonly (readonly [FuzzTarget, number])[] = [
  [header, 0.5],
  [model, 0.5],
]
