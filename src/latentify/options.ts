import { FIND_OPTIONS } from '../checkpoint/find-options.ts'
import type { ConvertOptions } from '../conversion/convert.ts'
import { above, choice, flag, list, number, type OptionTable, text, whole } from '../options/kinds.ts'
import { ENCODABLE_TYPES, type EncodableType } from '../quant/numbers.ts'

/** Options of `latentifyModel`: `cacheRatio`, `pplWithin`, or `rank` and `rope`, say how much is kept. */
export interface LatentifyOptions extends Pick<ConvertOptions, 'offline' | 'hub' | 'signal'> {
  /** Share of the original's cache that the latent and the rope key take together. */
  readonly cacheRatio?: number
  /**
   * Keep as little as leaves the perplexity at most 1 + this times the original's (0.05: 5 % more; below 1), measured on windows of the calibration text that were held
   * back.
   */
  readonly pplWithin?: number
  /** C, numbers of the latent. */
  readonly rank?: number
  /** R, numbers of the rope key. Default: what was best for the cache on validation text. */
  readonly rope?: number
  /** Base of the rope key's frequencies. Default 10,000, of caches below 18 % 1,000; the original's where all is kept. */
  readonly theta?: number
  /** How much more keys count in the latent than their effect on the output says. Default 2. */
  readonly balance?: number
  /** Path of a text in UTF-8 to calibrate on. Default: one that comes with the package. */
  readonly calibrate?: string
  /** Tokens that are read of it. Default 32,768. */
  readonly calibrationTokens?: number
  /** Windows of the text that are held back to measure perplexity and KL on, at most a quarter of it. 0: nothing is measured. Default 16. */
  readonly measure?: number
  /**
   * Search R and theta, or the one of them that is not given, for each size: the KL divergence on the windows that are held back falls from neighbour to neighbour.
   * Some ten sizes are computed and measured for it. Default false.
   */
  readonly search?: boolean
  /**
   * Seconds that the latent model learns from the original (distillation: KL, and the error of its streams). The first steps say how many fit. Default: it does
   * not learn.
   */
  readonly heal?: number
  /** Steps of the same, which do not depend on the machine's speed; with `heal` too, what comes first ends it. */
  readonly healSteps?: number
  /** Path of a text in UTF-8 to learn from. Default: all of the calibration text that is not held back. */
  readonly healText?: string
  /** Learn from so many tokens that the original writes, in place of a text; the time that takes counts as `heal`'s. */
  readonly healSamples?: number
  /** Weight of the streams' error, mean over layers of |x' - x|² / |x|², beside KL. Default 0.5. */
  readonly healHidden?: number
  /** Further shares of the original's cache that are measured for the report, and not written. Default: none. */
  readonly also?: readonly number[]
  /** Default: f32 of a model in f32, else bf16 for what is new; the rest as it is. */
  readonly weights?: EncodableType
  /**
   * A latent of the query, too: llama.cpp reads models without one at 26 or 27 layers only. Default: for GGUF files of another depth, and where
   * projections have biases.
   */
  readonly queryLatent?: boolean
  /** Compute threads. Default: the machine's available parallelism. */
  readonly threads?: number
  /** Replace what is there. Default false. */
  readonly force?: boolean
  /** Keep what a later conversion of the same model and text can begin from. Default false. */
  readonly keepWork?: boolean
  /** What is being done. */
  readonly onProgress?: (progress: LatentifyProgress) => void
}

/** Reported by `latentifyModel`. */
export interface LatentifyProgress {
  /**
   * Looking the model up or fetching it, loading its weights, reading the calibration text, computing new tensors, measuring them, letting the original write texts,
   * learning from it, writing files.
   */
  readonly stage: 'resolve' | 'download' | 'load' | 'calibrate' | 'factor' | 'measure' | 'samples' | 'heal' | 'write'
  /** Bytes, windows (calibrate: of all layers), layers, tokens (samples), or steps (heal). */
  readonly done: number
  /** The total of the same; 0 where it is not known. */
  readonly total: number
  /** The file that is fetched or written; the name of the stage elsewhere. */
  readonly file: string
  /** heal: KL from the original in the last step, in nats per token. */
  readonly kl?: number
}

export const LATENTIFY_OPTIONS = {
  cacheRatio: {
    kind: number(0, 1),
    description: "share of the original's cache that is kept, such as 0.5",
    flag: '--cache-ratio <share>',
  },
  pplWithin: {
    kind: number(0),
    description: 'keep as little as loses no more perplexity than this, such as 5%',
    flag: '--ppl-within <share>',
  },
  rank: { kind: whole(1), description: 'numbers of the latent, in place of --cache-ratio', flag: '--rank <n>' },
  rope: {
    kind: whole(2),
    description: 'numbers of the rope key',
    defaultText: 'what suits the cache',
    flag: '--rope <n>',
  },
  theta: {
    kind: above(1),
    description: "base of the rope key's frequencies",
    defaultText: 'what suits the cache',
    flag: '--theta <n>',
  },
  balance: {
    kind: above(0),
    description: 'how much more keys count in the latent than their effect says',
    defaultText: '2',
    flag: '--balance <n>',
  },
  calibrate: {
    kind: text,
    description: 'a text in UTF-8 that shows what is to be kept',
    defaultText: 'one of the package',
    flag: '--calibrate <file>',
  },
  calibrationTokens: {
    kind: whole(512),
    description: 'tokens that are read of it',
    defaultText: '32768',
    flag: '--calibration-tokens <n>',
  },
  measure: {
    kind: whole(0),
    description: 'windows of the text that are held back to measure on',
    defaultText: '16',
    flag: '--measure <n>',
  },
  search: {
    kind: flag,
    description: 'search the rope key and theta for each size, on windows that are held back',
    flag: '--search',
  },
  heal: {
    kind: above(0),
    description: 'learn from the original for so long, such as 30m',
    defaultText: 'not at all',
    flag: '--heal <time>',
  },
  healSteps: {
    kind: whole(1),
    description: 'learn for so many steps, in place of --heal or at most',
    flag: '--heal-steps <n>',
  },
  healText: {
    kind: text,
    description: 'a text in UTF-8 to learn from',
    defaultText: 'the one that is calibrated on',
    flag: '--heal-text <file>',
  },
  healSamples: {
    kind: whole(1),
    description: 'learn from so many tokens that the original writes, in place of a text',
    flag: '--heal-samples <n>',
  },
  healHidden: {
    kind: number(0),
    description: "weight of the streams' error beside KL",
    defaultText: '0.5',
    flag: '--heal-hidden <weight>',
  },
  also: {
    kind: list(number(0, 1), 'shares'),
    description: 'further shares of the cache that are measured for the report',
    defaultText: 'none',
    flag: '--also <shares>',
  },
  weights: {
    kind: choice(ENCODABLE_TYPES),
    description: 'the type of the matrices',
    defaultText: 'as they are',
    flag: '--weights <type>',
  },
  queryLatent: {
    kind: flag,
    description: 'a latent of the query, too: without one llama.cpp reads 26 or 27 layers only',
    flag: '--query-latent',
  },
  threads: { kind: whole(1, 1024), description: 'compute threads', flag: '--threads <n>' },
  force: { kind: flag, description: 'replace what is there', flag: '--force' },
  keepWork: { kind: flag, description: 'keep the statistics, for another size of the same model', flag: '--keep-work' },
  ...FIND_OPTIONS,
} satisfies OptionTable<LatentifyOptions>
