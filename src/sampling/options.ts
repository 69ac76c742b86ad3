import { OptionError } from '../errors.ts'
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

/** Throws OptionError naming the option, what was met and what was expected. `seed` is checked and left out. */
export function resolveOptions(options: SamplingOptions): ResolvedOptions {
  const inRange = (name: keyof SamplingOptions, otherwise: number, low: number, high: number) => {
    const value = options[name]
    if (value === undefined) return otherwise
    if (typeof value === 'number' && value >= low && value <= high) return value
    throw new OptionError(`${name} is ${String(value)}; expected ${rangeText(low, high)}`)
  }
  const biasEntries = Object.entries(options.logitBias ?? {}).map(checkBias)
  if (options.seed !== undefined) checkSeed(options.seed)
  const topK = inRange('topK', 0, 0, Number.MAX_SAFE_INTEGER)
  if (!Number.isInteger(topK)) throw new OptionError(`topK is ${topK}; expected a whole number (0 is off)`)
  return {
    temperature: inRange('temperature', 1, 0, Number.MAX_VALUE),
    topK,
    topP: inRange('topP', 1, 0, 1),
    minP: inRange('minP', 0, 0, 1),
    repetitionPenalty: inRange('repetitionPenalty', 1, Number.MIN_VALUE, Number.MAX_VALUE),
    presencePenalty: inRange('presencePenalty', 0, -2, 2),
    frequencyPenalty: inRange('frequencyPenalty', 0, -2, 2),
    biasIds: biasEntries.map(([id]) => id),
    biases: biasEntries.map(([, bias]) => bias),
  }
}

function checkBias([key, bias]: [string, unknown]): [number, number] {
  const id = Number(key)
  if (!Number.isInteger(id) || id < 0 || key.trim() === '') {
    throw new OptionError(`logitBias has the key ${JSON.stringify(key)}; expected a token id`)
  }
  const good = typeof bias === 'number' && (bias === Number.NEGATIVE_INFINITY || (bias >= -100 && bias <= 100))
  if (!good) throw new OptionError(`logitBias[${key}] is ${String(bias)}; expected -100 to 100, or -Infinity`)
  return [id, bias]
}

function rangeText(low: number, high: number): string {
  if (high < Number.MAX_SAFE_INTEGER) return `a number from ${low} to ${high}`
  return low === 0 ? 'a finite number of at least 0' : 'a finite number above 0'
}
