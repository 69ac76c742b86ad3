import { OptionError } from '../errors.ts'
import {
  above,
  biases,
  expectation,
  flag,
  list,
  nested,
  number,
  type OptionTable,
  text,
  whole,
} from '../options/kinds.ts'
import { readOptions } from '../options/read-options.ts'
import { checkSeed } from './rng.ts'

/**
 * How a token is chosen. The options apply in this order, each to the result of those before it:
 *
 *     logitBias -> repetitionPenalty -> frequencyPenalty, presencePenalty -> dry   change logits
 *     -> topNSigma                                                                 removes tokens
 *     -> temperature, dynamicTemperature                                           divide the logits
 *     -> topK -> typicalP -> topP -> minP -> xtc                                   remove tokens
 *     -> draw among the rest
 *
 * Hugging Face transformers and vLLM divide by the temperature first, too, so that topP is a share of the distribution that is
 * drawn from, as the AI SDK documents it. With `temperatureLast` the temperature comes after xtc: then the order is
 * llama.cpp's, whose filters look at the model's own distribution. `mirostat` takes the place of all that removes tokens.
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
  /** Penalises tokens that would continue a repetition. Default: none. */
  readonly dry?: DryOptions
  /**
   * Keep tokens whose logit is at least the highest minus this many standard deviations of all logits (Tang et al. 2024); the
   * temperature does not change which. Default 0, off.
   */
  readonly topNSigma?: number
  /**
   * Keep the tokens whose information is closest to the distribution's entropy, the fewest whose probabilities reach this sum
   * (Meister et al. 2022, locally typical sampling); 0..1. Default 1, off.
   */
  readonly typicalP?: number
  /** Sometimes removes the most likely tokens. Default: never. */
  readonly xtc?: XtcOptions
  /** The temperature follows the distribution's entropy. Default: it does not. */
  readonly dynamicTemperature?: DynamicTemperatureOptions
  /** Divide by the temperature after the filters have looked at the distribution, as llama.cpp does. Default false. */
  readonly temperatureLast?: boolean
  /**
   * Keeps the surprise of the text near a value (Basu et al. 2021, mirostat 2 as llama.cpp has it), in place of topK, typicalP, topP,
   * minP, topNSigma and xtc, which must not be given beside it. Default: off.
   */
  readonly mirostat?: MirostatOptions
  /** Any integer; the same seed and the same logits give the same tokens. Default: random. */
  readonly seed?: number | bigint
}

/**
 * "Don't repeat yourself" (as in llama.cpp): where the last n tokens have occurred before, the logit of the token that followed
 * there is lowered by multiplier * base ** (n - allowedLength), if n is at least allowedLength.
 */
export interface DryOptions {
  /** 0: off. 0.8 is usual. */
  readonly multiplier: number
  /** 1 or more. Default 1.75. */
  readonly base?: number
  /** Repetitions shorter than this cost nothing; in tokens. Default 2. */
  readonly allowedLength?: number
  /** A repetition does not go beyond a token in which one of these texts ends. Default: a line break, `:`, `"` and `*`. */
  readonly sequenceBreakers?: readonly string[]
  /** The number of last tokens, prompt included, that are compared; 0: none. Default: all in the context. */
  readonly lastN?: number
}

/** "Exclude top choices" (as in llama.cpp): of the tokens whose probability reaches the threshold only the least likely is kept. */
export interface XtcOptions {
  /** How often this happens; 0..1. Each token takes one more random number. */
  readonly probability: number
  /** 0..1; above 0.5 nothing is ever removed. Default 0.1. */
  readonly threshold?: number
}

/**
 * The temperature lies between temperature - range and temperature + range (at least 0): the share of the width is the entropy,
 * divided by the highest that so many tokens can have, to the power of the exponent. As in llama.cpp and koboldcpp.
 */
export interface DynamicTemperatureOptions {
  /** Half of the width; at least 0. */
  readonly range: number
  /** Above 0. Default 1. */
  readonly exponent?: number
}

/** The surprise of a token is -log2 of its probability. */
export interface MirostatOptions {
  /** The surprise to be near, in bits; above 0. Default 5. */
  readonly tau?: number
  /** How fast the bound on the surprise follows; 0..1. Default 0.1. */
  readonly eta?: number
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
  readonly topNSigma: number
  readonly typicalP: number
  readonly xtc: Required<XtcOptions> | null
  readonly dynamicTemperature: Required<DynamicTemperatureOptions> | null
  readonly temperatureLast: boolean
  readonly mirostat: Required<MirostatOptions> | null
}

const DRY_OPTIONS = {
  multiplier: {
    kind: number(0),
    description: 'penalty of a repetition of the allowed length; 0: off',
    flag: '--dry-multiplier <x>',
  },
  base: { kind: number(1), description: 'factor for each token more', defaultText: '1.75', flag: '--dry-base <x>' },
  allowedLength: {
    kind: whole(1),
    description: 'shorter repetitions cost nothing',
    defaultText: '2',
    flag: '--dry-allowed-length <n>',
  },
  sequenceBreakers: {
    kind: list(text, 'texts'),
    description: 'a repetition ends at these texts',
    defaultText: 'line break, :, " and *',
    flag: '--dry-sequence-breaker <text>',
  },
  lastN: { kind: whole(0), description: 'last tokens that are compared', defaultText: 'all', flag: '--dry-last-n <n>' },
} satisfies OptionTable<DryOptions>

const XTC_OPTIONS = {
  probability: {
    kind: number(0, 1),
    description: 'how often the likeliest tokens are removed',
    flag: '--xtc-probability <p>',
  },
  threshold: {
    kind: number(0, 1),
    description: 'of tokens of at least this probability the least likely stays',
    defaultText: '0.1',
    flag: '--xtc-threshold <p>',
  },
} satisfies OptionTable<XtcOptions>

const DYNAMIC_TEMPERATURE_OPTIONS = {
  range: { kind: number(0), description: 'how far the temperature follows the entropy', flag: '--dynatemp-range <x>' },
  exponent: { kind: above(0), description: 'power of the entropy', defaultText: '1', flag: '--dynatemp-exponent <x>' },
} satisfies OptionTable<DynamicTemperatureOptions>

const MIROSTAT_OPTIONS = {
  tau: {
    kind: above(0),
    description: 'mirostat 2: bits of surprise to be near',
    defaultText: '5',
    flag: '--mirostat-tau <x>',
  },
  eta: { kind: number(0, 1), description: 'how fast it follows', defaultText: '0.1', flag: '--mirostat-eta <x>' },
} satisfies OptionTable<MirostatOptions>

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
  dry: { kind: nested(DRY_OPTIONS), description: 'penalises repetitions of several tokens' },
  topNSigma: {
    kind: number(0),
    description: 'logits within n standard deviations of the highest; 0: all',
    flag: '--top-n-sigma <n>',
  },
  typicalP: {
    kind: number(0, 1),
    description: 'the most typical tokens that make up probability p',
    flag: '--typical-p <p>',
  },
  xtc: { kind: nested(XTC_OPTIONS), description: 'sometimes without the likeliest tokens' },
  dynamicTemperature: {
    kind: nested(DYNAMIC_TEMPERATURE_OPTIONS),
    description: 'temperature that follows the entropy',
  },
  temperatureLast: {
    kind: flag,
    description: 'temperature after the filters, as llama.cpp has it',
    flag: '--temperature-last',
  },
  mirostat: { kind: nested(MIROSTAT_OPTIONS), description: 'keep the surprise near a value' },
  logitBias: { kind: biases, description: 'added to the logits of token ids; -Infinity forbids one' },
  seed: { kind: whole(), description: 'same seed, same text', defaultText: 'random, shown', flag: '--seed <n>' },
} satisfies OptionTable<SamplingOptions>

/** Whatever removes tokens: mirostat does it its own way. */
export const NOT_WITH_MIROSTAT = ['topK', 'topP', 'minP', 'topNSigma', 'typicalP', 'xtc', 'temperatureLast'] as const

/** Any one of these says how tokens are drawn: a temperature was chosen with its filters. */
export const CHOOSING = ['temperature', 'topP', 'topK', 'minP', 'typicalP', 'topNSigma', 'mirostat'] as const

const NEEDED = [
  ['dry', 'multiplier', expectation(DRY_OPTIONS.multiplier.kind)],
  ['xtc', 'probability', expectation(XTC_OPTIONS.probability.kind)],
  ['dynamicTemperature', 'range', expectation(DYNAMIC_TEMPERATURE_OPTIONS.range.kind)],
] as const

/** Checks options and fills in defaults. Throws OptionError naming the option, its value and what was expected. */
export function resolveOptions({ seed, ...options }: SamplingOptions): ResolvedOptions {
  if (seed !== undefined) checkSeed(seed)
  const given = readOptions<SamplingOptions>(SAMPLING_OPTIONS, 'sampling', options)
  const { logitBias = {}, xtc, dynamicTemperature, mirostat } = given
  for (const [name, field, of] of NEEDED) {
    const value: object | undefined = given[name]
    if (value && !(field in value)) throw new OptionError(`${name}.${field} is missing; expected ${of}`)
  }
  const beside = mirostat && NOT_WITH_MIROSTAT.find(name => given[name] !== undefined)
  if (beside) throw new OptionError(`${beside} and mirostat were given; mirostat takes the place of ${beside}`)
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
    topNSigma: given.topNSigma ?? 0,
    typicalP: given.typicalP ?? 1,
    xtc: xtc && xtc.probability > 0 ? { threshold: 0.1, ...xtc } : null,
    dynamicTemperature:
      dynamicTemperature && dynamicTemperature.range > 0 ? { exponent: 1, ...dynamicTemperature } : null,
    temperatureLast: given.temperatureLast ?? false,
    mirostat: mirostat ? { tau: 5, eta: 0.1, ...mirostat } : null,
  }
}
