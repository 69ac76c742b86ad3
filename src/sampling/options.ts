import { above, biases, number, type OptionTable, whole } from '../options/kinds.ts'
import { readOptions } from '../options/read-options.ts'
import { checkSeed } from './rng.ts'

/**
 * How a token is chosen. The options apply in this order, each to the result of those before it:
 *
 *     logitBias -> repetitionPenalty -> frequencyPenalty, presencePenalty      change logits
 *     -> temperature                                                           divides them
 *     -> topK -> topP -> minP                                                  remove tokens
 *     -> draw among the rest
 *
 * Hugging Face transformers and vLLM have the same order (vLLM applies minP before topK and topP; since minP compares
 * with the most likely token, that differs only in the mass that topP counts). OpenAI's and the AI SDK's descriptions
 * fit it. llama.cpp divides by the temperature last, so that its topP and minP look at the model's own distribution:
 * at a high temperature the same numbers remove more there. Here topP is a share of the distribution that is drawn from,
 * as the AI SDK documents it.
 */
export interface SamplingOptions {
  /** 0 takes the most likely token (ties: the lowest id) and ignores topK, topP, minP and seed. Default 1. */
  readonly temperature?: number
  /** Keep exactly the topK most likely tokens; ties go to the lowest ids. Default 0, off. */
  readonly topK?: number
  /** Keep the smallest set of most likely tokens whose probabilities reach this sum; 0..1. Default 1, off. */
  readonly topP?: number
  /** Keep tokens whose probability is at least minP times that of the most likely one; 0..1. Default 0, off. */
  readonly minP?: number
  /**
   * For tokens in the prompt or the answer, positive logits are divided by this and negative ones multiplied (Keskar et
   * al. 2019). Above 0; default 1, off.
   */
  readonly repetitionPenalty?: number
  /** Subtracted from the logits of tokens that the answer already has, as OpenAI defines it; -2..2. Default 0. */
  readonly presencePenalty?: number
  /** Subtracted from a token's logit once per occurrence in the answer; -2..2. Default 0. */
  readonly frequencyPenalty?: number
  /** Added to the logits of these ids: -100..100, or -Infinity to forbid a token. */
  readonly logitBias?: Readonly<Record<number, number>>
  /** Any integer; the same seed and the same logits give the same tokens. Default: random. */
  readonly seed?: number | bigint
}

/** Checked options with defaults filled in, in the sampler's form. */
export interface ResolvedOptions {
  readonly temperature: number
  readonly topK: number
  readonly topP: number
  readonly minP: number
  readonly repetitionPenalty: number
  readonly presencePenalty: number
  readonly frequencyPenalty: number
  readonly biasIds: readonly number[]
  readonly biases: readonly number[]
}

/** All options with their ranges. The seed is a whole number here; the sampler also takes a bigint. */
export const SAMPLING_OPTIONS = {
  temperature: {
    kind: number(0),
    description: '0: always the likeliest token',
    defaultText: "the model's, else 0.6 and top-p 0.9",
    flag: '--temperature <t>',
  },
  topP: { kind: number(0, 1), description: 'the likeliest tokens that make up probability p', flag: '--top-p <p>' },
  topK: { kind: whole(0), description: 'the k likeliest tokens; 0: all', flag: '--top-k <k>' },
  minP: {
    kind: number(0, 1),
    description: "tokens of at least p times the likeliest's probability",
    flag: '--min-p <p>',
  },
  repetitionPenalty: { kind: above(0), description: 'above 1: fewer repetitions', flag: '--repetition-penalty <x>' },
  presencePenalty: {
    kind: number(-2, 2),
    description: 'taken off once for what occurred',
    flag: '--presence-penalty <x>',
  },
  frequencyPenalty: {
    kind: number(-2, 2),
    description: 'taken off for each occurrence',
    flag: '--frequency-penalty <x>',
  },
  logitBias: { kind: biases, description: 'added to the logits of token ids; -Infinity forbids one' },
  seed: { kind: whole(), description: 'same seed, same text', defaultText: 'random, shown', flag: '--seed <n>' },
} satisfies OptionTable<SamplingOptions>

/** Checks options and fills in defaults. Throws OptionError naming the option, its value and what was expected. */
export function resolveOptions({ seed, ...options }: SamplingOptions): ResolvedOptions {
  if (seed !== undefined) checkSeed(seed)
  const given = readOptions<SamplingOptions>(SAMPLING_OPTIONS, 'sampling', options)
  const { logitBias = {} } = given
  return {
    temperature: given.temperature ?? 1,
    topK: given.topK ?? 0,
    topP: given.topP ?? 1,
    minP: given.minP ?? 0,
    repetitionPenalty: given.repetitionPenalty ?? 1,
    presencePenalty: given.presencePenalty ?? 0,
    frequencyPenalty: given.frequencyPenalty ?? 0,
    biasIds: Object.keys(logitBias).map(Number),
    biases: Object.values(logitBias),
  }
}
