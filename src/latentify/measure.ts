/** What a smaller cache loses, on windows that statistics have not seen. */
import { chooseKernels } from '../engine/host/node/kernels.ts'
import { measure } from '../evaluation/measure.ts'
import { modelReference } from '../evaluation/reference.ts'
import type { Estimate } from '../evaluation/statistics.ts'
import { cutOf, type Windows } from '../evaluation/windows.ts'
import { loadModel } from '../model/load.ts'
import type { Model } from '../model/model.ts'
import type { OpenedModel } from '../model/open/opened-model.ts'
import type { Original } from './original.ts'

/** How far a model is from the original, on texts that neither was fitted to. */
export interface Measured {
  /** Of the tokens in the second half of each window. */
  readonly perplexity: number
  /** To the original's; its error is that of the paired differences. */
  readonly perplexityRatio: Estimate
  /** Of the original's distributions, in nats per token. */
  readonly kl: Estimate
  /** Share of positions at which both have the same likeliest token. */
  readonly top1: Estimate
  /** By layer: mean of |x' - x|² / |x|² over tokens, x the stream that leaves the layer. */
  readonly errorByLayer: readonly number[]
}

export interface MeterOptions {
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** After each window of a model. */
  readonly onWindow?: (done: number) => void
}

/** Measures models against one original. Matrices are as they are stored, activations f32. */
export class Meter {
  /** Perplexity of the original; null until something was measured. */
  original: number | null = null
  readonly #loaded: Original
  readonly #windows: readonly Int32Array[]
  readonly #options: MeterOptions
  #streams: Float32Array | null = null

  /** `loaded`: the original, which stays the caller's to dispose of. `windows`: at least one, all of one length. */
  constructor(loaded: Original, windows: readonly Int32Array[], options: MeterOptions) {
    this.#loaded = loaded
    this.#windows = windows
    this.#options = options
  }

  /** Tokens that count. */
  get scored(): number {
    const { list, size, from } = this.#cut()
    return list.length * (size - from)
  }

  async measure(candidate: OpenedModel): Promise<Measured> {
    const { signal, threads, onWindow } = this.#options
    const parts = await this.#loaded.parts()
    const windows = this.#cut()
    onWindow?.(0)
    const { kernels } = await chooseKernels('auto', { ...(threads && { threads }), exact: true })
    try {
      const model = await loadModel(candidate, kernels, { cacheType: 'f32', ...(signal && { signal }) })
      const reference = modelReference(parts.info.name, parts.model, windows, () => {}, signal)
      try {
        const run = { ...parts, model, kernels }
        const report = await measure(run, windows, reference, {
          exact: true,
          onWindow: ({ done }) => onWindow?.(done),
          ...(signal && { signal }),
        })
        const { perplexityRatio, kl, top1, referencePerplexity } = report.divergence as NonNullable<
          typeof report.divergence
        >
        this.original = referencePerplexity.mean
        const errorByLayer = await this.#errors(parts.model, model)
        return { perplexity: report.perplexity.mean, perplexityRatio, kl, top1, errorByLayer }
      } finally {
        await reference.dispose()
        model.dispose()
      }
    } finally {
      kernels.dispose()
    }
  }

  #cut(): Windows {
    const list = this.#windows
    const size = (list[0] as Int32Array).length
    const cut = cutOf({ window: size })
    return { ...cut, list, scored: list.length * (size - cut.from), textTokens: list.length * size }
  }

  async #errors(original: Model, model: Model): Promise<number[]> {
    const tokens = this.#windows[0] as Int32Array
    const { hiddenSize: D, nLayers } = model.config
    const T = tokens.length
    this.#streams ??= await streamsOf(original, tokens)
    const theirs = this.#streams
    const own = await streamsOf(model, tokens)
    return Array.from({ length: nLayers }, (_, layer) => {
      let sum = 0
      for (let t = 0; t < T; t++) {
        let [error, energy] = [0, 0]
        const start = ((layer + 1) * T + t) * D
        for (let i = start; i < start + D; i++) {
          const x = theirs[i] as number
          error += ((own[i] as number) - x) ** 2
          energy += x * x
        }
        sum += energy > 0 ? error / energy : 0
      }
      return sum / T
    })
  }
}

/** What enters each layer, and what leaves the last one after the final norm: f32 [L + 1, T, D]. */
async function streamsOf(model: Model, tokens: Int32Array): Promise<Float32Array> {
  const { kernels, config } = model
  const T = tokens.length
  const cache = model.sequence(T)
  const hidden = kernels.memory.alloc('f32', [config.nLayers + 1, T, config.hiddenSize])
  try {
    const input = { tokens, cache, prompt: { start: 0, end: T }, logits: 'none' } as const
    await model.forward([input], { hidden })
    return (await kernels.memory.read(hidden)) as Float32Array
  } finally {
    kernels.memory.free(hidden)
    cache.dispose()
  }
}
