import { above, biases, number, type OptionTable, whole } from '../options/kinds.ts'
import { readOptions } from '../options/read-options.ts'
import { checkSeed } from './rng.ts'

/**
 * How a token is chosen. The options apply in this order, each to what the ones before it left:
 *
 *     logitBias -> repetitionPenalty -> frequencyPenalty, presencePenalty      change logits
 *     -> temperature                                                           divides them
 *     -> topK -> topP -> minP                                                  remove tokens
 *     -> draw among the rest
 *
 * Hugging Face transformers and vLLM have the same order (vLLM applies minP before topK and topP; since minP compares
 * with the most likely token, that differs only in the mass that topP counts). OpenAI's and the AI SDK's descriptions
 * fit it. llama.cpp divides by the temperature last, so that its topP and minP look at the model's own distribution:
 * the same numbers cut more there at a high temperature. Here topP is a share of the distribution that is drawn from,
 * which is what its name says in the AI SDK.
 */
export interface SamplingOptions {
  /** 0 takes the most likely token (ties: the lowest id) and ignores topK, topP, minP and seed. Default 1. */
  readonly temperature?: number
  /** Only the so many most likely tokens, exactly: ties go to the lowest ids. 0 is off, the default. */
  readonly topK?: number
  /** Only the fewest most likely tokens whose probabilities reach this sum; 0..1. Default 1, off. */
  readonly topP?: number
  /** Only tokens at least so likely in relation to the most likely one; 0..1. Default 0, off. */
  readonly minP?: number
  /**
   * Logits of tokens in the prompt or the answer are divided by it when positive, multiplied when negative (Keskar et
   * al. 2019). Above 0; default 1, off.
   */
  readonly repetitionPenalty?: number
  /** Taken off the logits of tokens that the answer already has, -2..2, as OpenAI defines it. Default 0. */
  readonly presencePenalty?: number
  /** Taken off the logits once for every time the answer has the token, -2..2. Default 0. */
  readonly frequencyPenalty?: number
  /** Added to the logits of these ids: -100..100, or -Infinity to forbid a token. */
  readonly logitBias?: Readonly<Record<number, number>>
  /** Any integer; the same seed and the same logits give the same tokens. Default: one at random. */
  readonly seed?: number | bigint
}

/** Checked, with defaults, in the form the sampler needs. */
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

/** What may be given, in which range. The seed is a whole number here; the sampler takes a bigint, too. */
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

/** Throws OptionError naming the option, what was met and what was expected. `seed` is checked and left out. */
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
