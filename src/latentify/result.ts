/** What a conversion tells of itself. */
import type { Licence } from './licence.ts'
import type { Measured } from './measure.ts'
import type { Plan } from './plan.ts'
import type { Trial } from './trials.ts'

/** Result of `latentifyModel`. */
export interface Latentification {
  /** Path of the original. */
  readonly input: string
  /** The path that was given. */
  readonly output: string
  /** `gguf` if `output` ends in .gguf. */
  readonly format: 'gguf' | 'safetensors'
  /** Of the original. */
  readonly modelType: string
  /** Numbers cached per token and layer. */
  readonly cache: {
    /** By the original: keys and values of its key-value heads. */
    readonly before: number
    /** `rank` + `rope`. */
    readonly after: number
    /** C, of the latent. */
    readonly rank: number
    /** R, of the rope key. */
    readonly rope: number
  }
  /** Of all layers' caches in f16, per token. */
  readonly bytesPerToken: {
    /** Of the original. */
    readonly before: number
    /** Of the new model. */
    readonly after: number
  }
  /** Base of the rope key's frequencies; null where they are a list. */
  readonly theta: number | null
  /** Tokens of the calibration text that were read; 0 where nothing is lost. */
  readonly calibrationTokens: number
  /** By layer: the share of the weighted energy of keys and values that the latent does not hold, 0 to 1. */
  readonly lossByLayer: readonly number[]
  /** What is lost, on windows of the text that were held back; null: nothing was measured. */
  readonly measured: Measurement | null
  /** What the model has learned from the original; null: it has not. `measured` is of the model before it, this of the one that is written. */
  readonly healing: Healing | null
  /** Of all files. */
  readonly bytes: number
  /** Paths of the files that were written. */
  readonly files: readonly string[]
  /** One sentence each. */
  readonly warnings: readonly string[]
}

/** What was measured of the original and of latent models. */
export interface Measurement {
  /** How many were read. */
  readonly windows: number
  /** Tokens that count: those in the second half of each window. */
  readonly tokens: number
  /** Of the original. */
  readonly perplexity: number
  /** All sizes that were tried, the smallest cache first. Weights are as computed, before they are written in a smaller type. */
  readonly sizes: readonly Trial[]
}

/** What healing did. */
export interface Healing {
  /** Name of the text; null: texts that the original wrote. */
  readonly text: string | null
  /** Steps that were taken. */
  readonly steps: number
  /** Steps that the rate was planned for; more than `steps` where the time was over before. */
  readonly planned: number
  /** Tokens that were learned from, again where texts came again. */
  readonly tokens: number
  /** That it took, over all interruptions. */
  readonly seconds: number
  /** Of each step: KL from the original on its texts before its update, nats per token. */
  readonly kl: readonly number[]
  /** What the healed model loses, on the windows of `measured`; null: nothing was measured. */
  readonly measured: Measured | null
}

export interface ReportFacts extends Omit<Latentification, 'output' | 'format' | 'bytes' | 'files' | 'warnings'> {
  readonly plan: Plan
  readonly balance: number
  /** The original's, as its model card or file says; null: they do not. */
  readonly licence: Licence | null
  /** Path of the text; null: none was read. */
  readonly calibrate: string | null
}
