/** One way of computing a prompt, held against the expected numbers. */
import type { AttentionPath } from '../../attention/path.ts'
import type { Kernels } from '../../kernels/contract.ts'
import type { Capture, Model } from '../../model/model.ts'
import { elementCount, rowsOf, type Tensor, view } from '../../tensor/tensor.ts'
import type { ExpectedPrompt } from './expected.ts'
import { argmax, squaredError, worstError } from './measure.ts'

export type Prefill = 'whole' | 'chunked' | 'token'

/** Tokens of a chunk: odd, so that it lies across every border inside. */
const CHUNKS: Readonly<Record<Prefill, number>> = { whole: Number.POSITIVE_INFINITY, chunked: 7, token: 1 }

export interface PromptErrors {
  /** Worst |error| / (1 + |expected|) of the logits. */
  readonly logits: number
  readonly squaredError: number
  /** The same per hidden state: embedding, after each layer, after the final norm; null where not given. */
  readonly hidden: readonly number[] | null
  readonly attention: number | null
  /** Greedy tokens that agree before the first that does not; null where not run. */
  readonly greedyAgreeing: number | null
}

export async function runPrompt(
  model: Model,
  prompt: ExpectedPrompt,
  prefill: Prefill,
  path: AttentionPath | undefined,
  withGreedy: boolean,
): Promise<PromptErrors> {
  const { kernels: k, config } = model
  const { tokens, greedy } = prompt
  const T = tokens.length
  const cache = model.sequence(T + (greedy?.length ?? 0))
  const forced = path && { path }
  const captured = captures(k, prompt, [config.nLayers, config.attention.nHeads, T, config.hiddenSize])
  const logits = new Float32Array(prompt.logits.length)
  try {
    for (let at = 0; at < T; ) {
      const chunk = tokens.slice(at, at + Math.min(CHUNKS[prefill], T - at))
      const input = { tokens: chunk, cache, prompt: { start: 0, end: T }, logits: 'all', ...forced } as const
      const out = await model.forward([input], captured.rows(at, chunk.length))
      logits.set((await k.read(out)) as Float32Array, at * config.vocabSize)
      at += chunk.length
    }
    return {
      logits: worstError(logits, prompt.logits),
      squaredError: squaredError(logits, prompt.logits),
      hidden: captured.hidden && (await perLayer(k, captured.hidden, prompt.hidden as Float32Array)),
      attention:
        captured.attention && worstError(await floats(k, captured.attention), prompt.attention as Float32Array),
      greedyAgreeing:
        withGreedy && greedy ? await greedyAgreement(model, cache, argmaxOfLast(logits, T), greedy, forced) : null,
    }
  } finally {
    captured.free()
    cache.dispose()
  }
}

function argmaxOfLast(logits: Float32Array, rows: number): number {
  const vocab = logits.length / rows
  return argmax(logits, logits.length - vocab, vocab)
}

/** Continues greedily and counts the tokens that agree before the first that does not. */
async function greedyAgreement(
  model: Model,
  cache: ReturnType<Model['sequence']>,
  first: number,
  expected: readonly number[],
  forced: { readonly path: AttentionPath } | undefined,
): Promise<number> {
  let token = first
  for (const [i, want] of expected.entries()) {
    if (token !== want) return i
    if (i + 1 === expected.length) break
    const out = await model.forward([{ tokens: [token], cache, prompt: null, logits: 'last', ...forced }])
    token = argmax((await model.kernels.read(out)) as Float32Array, 0, model.config.vocabSize)
  }
  return expected.length
}

/** Buffers for what the expected numbers hold, and views of them for a run of rows. */
function captures(k: Kernels, prompt: ExpectedPrompt, [L, H, T, D]: readonly [number, number, number, number]) {
  const hidden = prompt.hidden ? k.alloc('f32', [L + 1, T, D]) : null
  const attention = prompt.attention ? k.alloc('f32', [L, H, T, T]) : null
  if (attention) k.upload(attention, new Float32Array(elementCount(attention.shape)).fill(Number.NEGATIVE_INFINITY))
  return {
    hidden,
    attention,
    rows(start: number, count: number): Capture {
      return {
        ...(hidden && { hidden: view(hidden, start * D, [L + 1, count, D], hidden.strides) }),
        ...(attention && { attention: view(attention, start * T, [L, H, count, T], attention.strides) }),
      }
    },
    free() {
      if (hidden) k.free(hidden)
      if (attention) k.free(attention)
    },
  }
}

async function perLayer(k: Kernels, hidden: Tensor, want: Float32Array): Promise<number[]> {
  const states = hidden.shape[0] as number
  const size = want.length / states
  const errors: number[] = []
  for (let i = 0; i < states; i++) {
    errors.push(worstError(await floats(k, rowsOf(hidden, i, 1)), want.subarray(i * size, (i + 1) * size)))
  }
  return errors
}

async function floats(k: Kernels, t: Tensor): Promise<Float32Array> {
  return (await k.read(t)) as Float32Array
}
