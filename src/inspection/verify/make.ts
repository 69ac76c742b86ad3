/** `latentkit verify --make`: numbers of a model in the form that `verify` reads, computed by a kernel set of ours. */
import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { CheckpointError, OptionError } from '../../errors.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import { loadModel } from '../../model/load.ts'
import type { Model } from '../../model/model.ts'
import { openModel } from '../../model/open/open-model.ts'
import { refuseEncoder, refuseSource } from '../../model/refuse-encoder.ts'
import { RowRunner } from '../../model/row-runner.ts'
import { maxHeads } from '../../nn/config.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { VERSION } from '../../version.ts'
import { openTokenizer } from '../open-tokenizer.ts'
import { expectedPath } from './expected.ts'
import { argmax } from './measure.ts'

/** Options of `makeExpected`. */
export interface MakeExpectedOptions {
  /** Texts, or token ids as they are. Default: two short English sentences. */
  readonly prompts?: readonly (string | readonly number[])[]
  /** Tokens of the greedy continuation, 0 to 4,096; 0: none. Default 16. */
  readonly greedy?: number
  /** A kernel set of `chooseKernels`; `makeExpected` disposes of it. */
  readonly kernels: Kernels
  /** Replace an existing file. Default false. */
  readonly force?: boolean
  /** Called after each prompt with the number of finished prompts and of all. */
  readonly onPrompt?: (done: number, of: number) => void
  /** Ends the work before the next prompt: `makeExpected` rejects with the signal's reason and writes nothing. */
  readonly signal?: AbortSignal
}

/** Result of `makeExpected`. */
export interface MadeExpected {
  /** The file that was written. */
  readonly path: string
  /** Name of the kernel set that computed the numbers. */
  readonly kernels: string
  /** The prompts in their order. */
  readonly prompts: readonly {
    /** Token ids of the prompt. */
    readonly tokens: readonly number[]
    /** Token ids of its greedy continuation. */
    readonly greedy: readonly number[]
  }[]
}

const PROMPTS = ['Once upon a time, there was a little fox who lived by the sea.', 'The capital of France is']
const MAX_GREEDY = 4096
/** Attention patterns grow with the square of a prompt; beyond so many numbers they are left out. */
const MAX_PATTERNS = 1 << 26

/**
 * Writes `expected.safetensors` into a model's folder, or `NAME.expected.safetensors` beside a GGUF file. Such numbers hold
 * other kernels, machines and versions to this one; only another engine's hold latentkit to the truth. Throws what
 * loading throws, OptionError, and CheckpointError where the file is there or cannot be written.
 */
export async function makeExpected(folder: string, options: MakeExpectedOptions): Promise<MadeExpected> {
  const { kernels, greedy = 16, force = false } = options
  try {
    if (!Number.isSafeInteger(greedy) || greedy < 0 || greedy > MAX_GREEDY) {
      throw new OptionError(`greedy is ${greedy}; expected a whole number from 0 to ${MAX_GREEDY}`)
    }
    const path = expectedPath(folder)
    if (!force && (await stat(path).catch(() => null))) {
      throw new CheckpointError(`${path} is there already; give force (--force) to replace it`)
    }
    const opened = await openModel(folder, { tokenizer: false })
    refuseEncoder(opened.config, 'it has no logits to expect')
    refuseSource(opened.config, 'take its numbers of transformers (scripts/make-expected.py)')
    const prompts = await tokensOf(folder, options)
    const model = await loadModel(opened, kernels, { cacheType: 'f32' })
    const tensors: NamedTensor[] = []
    const made: { tokens: readonly number[]; greedy: readonly number[] }[] = []
    try {
      for (const [p, tokens] of prompts.entries()) {
        options.signal?.throwIfAborted()
        const next = await computePrompt(model, tokens, greedy, (name, t) =>
          tensors.push({ ...t, name: `${p}.${name}` }),
        )
        made.push({ tokens, greedy: next })
        options.onPrompt?.(p + 1, prompts.length)
      }
    } finally {
      model.dispose()
    }
    const by = `latentkit ${VERSION}, ${kernels.info.name} kernels, f32 cache`
    await writeWhole(path, safetensors(tensors, { made_by: by }))
    return { path, kernels: kernels.info.name, prompts: made }
  } finally {
    kernels.dispose()
  }
}

async function tokensOf(
  folder: string,
  { prompts = PROMPTS, signal }: MakeExpectedOptions,
): Promise<(readonly number[])[]> {
  if (prompts.length === 0) throw new OptionError('prompts is empty; expected a text or token ids at least')
  const offline = { offline: true, ...(signal && { signal }) }
  const tokenizer = prompts.some(p => typeof p === 'string') ? await openTokenizer(folder, offline) : null
  return prompts.map(prompt => {
    const tokens = typeof prompt === 'string' ? (tokenizer?.encodePrompt(prompt) ?? []) : prompt
    if (tokens.length > 0) return tokens
    throw new OptionError(
      `the prompt ${JSON.stringify(prompt).slice(0, 60)} has no tokens; expected a text or token ids`,
    )
  })
}

type Named = Omit<NamedTensor, 'name'>

/** Logits, hidden states, attention where it fits, and the greedy tokens that follow. */
async function computePrompt(
  model: Model,
  tokens: readonly number[],
  greedy: number,
  add: (name: string, tensor: Named) => void,
): Promise<number[]> {
  const { kernels: k, config } = model
  const [T, L, D, V, H] = [tokens.length, config.nLayers, config.hiddenSize, config.vocabSize, maxHeads(config)]
  const cache = model.sequence(T + greedy)
  const hidden = k.memory.alloc('f32', [L + 1, T, D])
  const attention = L * H * T * T <= MAX_PATTERNS ? k.memory.alloc('f32', [L, H, T, T]) : null
  const read = async (t: Tensor) => (await k.memory.read(t)) as Float32Array
  try {
    const rows = new RowRunner({ cache, ids: tokens, extent: { start: 0, end: T } })
    const logits = await rows.step(model, T, 'all', { hidden, ...(attention && { attention }) })
    add('input_ids', { dtype: 'I64', shape: [T], data: BigInt64Array.from(tokens, BigInt) })
    add('logits', { dtype: 'F32', shape: [T, V], data: logits })
    const each = config.layersInOne ?? 1
    const states = (await read(hidden)).filter((_, i) => Math.floor(i / (T * D)) % each === 0)
    add('hidden', { dtype: 'F32', shape: [L / each + 1, T, D], data: states })
    if (attention) add('attentions', { dtype: 'F32', shape: [L, H, T, T], data: masked(await read(attention), T) })
    const next: number[] = []
    let last = argmax(logits, (T - 1) * V, V)
    while (next.length < greedy) {
      next.push(last)
      if (next.length === greedy) break
      rows.push(last)
      last = argmax(await rows.step(model, 1, 'last'), 0, V)
    }
    if (greedy > 0) add('greedy', { dtype: 'I64', shape: [greedy], data: BigInt64Array.from(next, BigInt) })
    return next
  } finally {
    k.memory.free(hidden)
    if (attention) k.memory.free(attention)
    cache.dispose()
  }
}

/** Keys behind a query are never written: their probability is 0. */
function masked(patterns: Float32Array, T: number): Float32Array {
  return patterns.map((p, i) => (i % T > Math.floor(i / T) % T ? 0 : p))
}

interface NamedTensor {
  readonly name: string
  readonly dtype: 'F32' | 'I64'
  readonly shape: readonly number[]
  readonly data: Float32Array | BigInt64Array
}

/** Integers first: their 8 bytes keep everything aligned. */
function safetensors(tensors: readonly NamedTensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const ordered = [...tensors].sort((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT)
  const header: Record<string, unknown> = { __metadata__: metadata }
  let at = 0
  for (const { name, dtype, shape, data } of ordered) {
    header[name] = { dtype, shape, data_offsets: [at, at + data.byteLength] }
    at += data.byteLength
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const begin = 8 + 8 * Math.ceil(json.length / 8)
  const bytes = new Uint8Array(begin + at).fill(0x20, 8, begin)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(begin - 8), true)
  bytes.set(json, 8)
  let place = begin
  for (const { data } of ordered) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), place)
    place += data.byteLength
  }
  return bytes
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const partial = `${path}.${process.pid}.partial`
  try {
    await writeFile(partial, bytes)
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw new CheckpointError(`${path} cannot be written: ${(error as Error).message}`, { cause: error })
  }
}
