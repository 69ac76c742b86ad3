/** One way of computing a prompt, held against the expected numbers. */

import type { SequenceCache } from '../../cache/sequence-cache.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import type { Model } from '../../model/model.ts'
import { RowRunner } from '../../model/row-runner.ts'
import type { AttentionPath } from '../../nn/attention/path.ts'
import { attends, type ModelConfig, maxHeads } from '../../nn/config.ts'
import type { Capture } from '../../nn/decoder.ts'
import { elementCount, rowsOf, type Tensor, view } from '../../tensor/tensor.ts'
import type { ExpectedPrompt, ExpectedSource } from './expected.ts'
import { argmax, meanSquares, worstError } from './measure.ts'
import { captureSelection, type ExpectedSelection, type SelectionErrors } from './selection.ts'

/** How a prompt is read: in one step, in chunks of 7 tokens, or token by token. */
export type Prefill = 'whole' | 'chunked' | 'token'

/** Tokens of a chunk: odd, so that it lies across every border inside. */
const CHUNKS: Readonly<Record<Prefill, number>> = { whole: Number.POSITIVE_INFINITY, chunked: 7, token: 1 }

export interface PromptErrors {
  /** Worst |error| / (1 + |expected|) of the logits. */
  readonly logits: number
  /** Of the logits, by position: the mean of the squared differences. */
  readonly meanSquares: readonly number[]
  /** The same per hidden state: embedding, after each layer, after the final norm; null where not given. */
  readonly hidden: readonly number[] | null
  /** Of the encoder's hidden states, the worst; null where not given. */
  readonly encoder: number | null
  readonly attention: number | null
  /** Of what indexers give and choose; null where nothing is expected of them. */
  readonly selection: SelectionErrors | null
  /** Positions of the prompt whose likeliest token is the expected one. */
  readonly topAgreeing: number
  /** Greedy tokens that agree, as `Continuation` says; null where not run. */
  readonly greedyAgreeing: number | null
}

/**
 * How the greedy continuation is held to the expected one. `free`: each token follows the ones computed, and those before
 * the first that differs count. `forced`: each follows the expected ones, and all that are equal count: where small errors
 * are allowed, one near tie does not hide what comes after it. `none`: not run.
 */
export type Continuation = 'free' | 'forced' | 'none'

export async function runPrompt(
  model: Model,
  prompt: ExpectedPrompt,
  prefill: Prefill,
  path: AttentionPath | undefined,
  continuation: Continuation,
): Promise<PromptErrors> {
  const { kernels: k, config } = model
  const { tokens, greedy, source } = prompt
  const T = tokens.length
  const cache = model.sequence(T + (greedy?.length ?? 0))
  const captured = captures(k, prompt, config)
  const choice = prompt.selection && captureSelection(k, config, T)
  const logits = new Float32Array(prompt.logits.length)
  try {
    const encoder = source && (await readSource(model, cache, source))
    const rows = new RowRunner({ cache, ids: tokens, extent: { start: 0, end: T }, path })
    while (rows.promptLeft > 0) {
      const at = cache.length
      const count = Math.min(CHUNKS[prefill], rows.promptLeft)
      logits.set(
        await rows.step(model, count, 'all', { ...captured.rows(at, count), ...choice?.rows(at, count) }),
        at * config.vocabSize,
      )
    }
    return {
      logits: worstError(logits, prompt.logits),
      meanSquares: meanSquares(logits, prompt.logits, T),
      hidden: captured.hidden && (await perLayer(k, captured.hidden, prompt.hidden as Float32Array)),
      encoder,
      attention: worstOf([
        captured.attention && worstError(await floats(k, captured.attention), prompt.attention as Float32Array),
        captured.cross && worstError(await floats(k, captured.cross), source?.attention as Float32Array),
      ]),
      selection: choice && (await choice.errors(prompt.selection as ExpectedSelection)),
      topAgreeing: sameTop(logits, prompt.logits, T),
      greedyAgreeing: continuation !== 'none' && greedy ? await continued(greedy) : null,
    }

    async function continued(expected: readonly number[]): Promise<number> {
      const go = CONTINUE[continuation as keyof typeof CONTINUE]
      if (!source) return go(model, rows, argmaxOfLast(logits, T), expected)
      // An encoder-decoder's text goes on from the token that begins it.
      cache.truncate(1)
      const begun = new RowRunner({ cache, ids: tokens.slice(0, 1), extent: null })
      return go(model, begun, argmax(logits, 0, config.vocabSize), expected)
    }
  } finally {
    captured.free()
    choice?.free()
    cache.dispose()
  }
}

/** Reads the source, on which the sequence stands from now on: the worst error of the encoder's states; null where not given. */
async function readSource(model: Model, cache: SequenceCache, source: ExpectedSource): Promise<number | null> {
  const { kernels: k, config } = model
  const layers = config.source?.encoder.nLayers ?? 0
  const rows = model.source(source.tokens)
  cache.readFrom(rows)
  cache.reserve(0)
  const hidden = source.hidden && k.memory.alloc('f32', [layers + 1, source.tokens.length, config.hiddenSize])
  try {
    await model.readSources([rows], hidden ? { hidden } : {})
    return hidden && worstError(await floats(k, hidden), source.hidden as Float32Array)
  } finally {
    if (hidden) k.memory.free(hidden)
  }
}

function worstOf(errors: readonly (number | null)[]): number | null {
  const known = errors.filter(error => error !== null)
  return known.length > 0 ? Math.max(...known) : null
}

function argmaxOfLast(logits: Float32Array, rows: number): number {
  const vocab = logits.length / rows
  return argmax(logits, logits.length - vocab, vocab)
}

function sameTop(got: Float32Array, want: Float32Array, rows: number): number {
  const vocab = want.length / rows
  let same = 0
  for (let i = 0; i < rows; i++) if (argmax(got, i * vocab, vocab) === argmax(want, i * vocab, vocab)) same++
  return same
}

/** From the rows of a prompt and the first token computed after it: how many of the expected ones agree. */
type Continue = (model: Model, rows: RowRunner, first: number, expected: readonly number[]) => Promise<number>

/** The likeliest token after `token`. */
async function nextAfter(model: Model, rows: RowRunner, token: number): Promise<number> {
  rows.push(token)
  return argmax(await rows.step(model, 1, 'last'), 0, model.config.vocabSize)
}

const continueFree: Continue = async (model, rows, first, expected) => {
  let token = first
  for (const [i, want] of expected.entries()) {
    if (token !== want) return i
    if (i + 1 === expected.length) break
    token = await nextAfter(model, rows, token)
  }
  return expected.length
}

const continueForced: Continue = async (model, rows, first, expected) => {
  let agreeing = first === expected[0] ? 1 : 0
  for (const [i, token] of expected.slice(0, -1).entries()) {
    if ((await nextAfter(model, rows, token)) === expected[i + 1]) agreeing++
  }
  return agreeing
}

const CONTINUE = { free: continueFree, forced: continueForced } as const

/** Buffers for what the expected numbers hold, and views of them for a run of rows. */
function captures(k: Kernels, prompt: ExpectedPrompt, config: ModelConfig) {
  const [L, H, T, D] = [config.nLayers, maxHeads(config), prompt.tokens.length, config.hiddenSize]
  const hidden = prompt.hidden ? k.memory.alloc('f32', [L + 1, T, D]) : null
  /** -inf for layers that attend, 0 for others. */
  const patterns = (S: number) => {
    const t = k.memory.alloc('f32', [L, H, T, S])
    const numbers = new Float32Array(elementCount(t.shape))
    for (const [i, layer] of config.layers.entries()) {
      if (attends(layer.attention)) numbers.fill(Number.NEGATIVE_INFINITY, i * H * T * S, (i + 1) * H * T * S)
    }
    k.memory.upload(t, numbers)
    return t
  }
  const attention = prompt.attention ? patterns(T) : null
  const S = prompt.source?.tokens.length ?? 0
  const cross = prompt.source?.attention ? patterns(S) : null
  return {
    hidden,
    attention,
    cross,
    rows(start: number, count: number): Capture {
      return {
        ...(hidden && { hidden: view(hidden, start * D, [L + 1, count, D], hidden.strides) }),
        ...(attention && { attention: view(attention, start * T, [L, H, count, T], attention.strides) }),
        ...(cross && { cross: view(cross, start * S, [L, H, count, S], cross.strides) }),
      }
    },
    free() {
      if (hidden) k.memory.free(hidden)
      if (attention) k.memory.free(attention)
      if (cross) k.memory.free(cross)
    },
  }
}

/** Of the expected states, which are those around every layer here or, of several that count as one, around these. */
async function perLayer(k: Kernels, hidden: Tensor, want: Float32Array): Promise<number[]> {
  const [layers, size] = [(hidden.shape[0] as number) - 1, hidden.strides[0] as number]
  const states = want.length / size
  const errors: number[] = []
  for (let i = 0; i < states; i++) {
    const own = rowsOf(hidden, (i * layers) / (states - 1), 1)
    errors.push(worstError(await floats(k, own), want.subarray(i * size, (i + 1) * size)))
  }
  return errors
}

async function floats(k: Kernels, t: Tensor): Promise<Float32Array> {
  return (await k.memory.read(t)) as Float32Array
}
