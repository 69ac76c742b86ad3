/** Options of `session.prompt` and the calls built on it. */
import type { AttentionPath } from '../../../nn/attention/path.ts'
import {
  callback,
  choice,
  flag,
  list,
  nested,
  type OptionTable,
  signal,
  text,
  textBiases,
  whole,
} from '../../../options/kinds.ts'
import { type SamplingOptions as DrawingOptions, SAMPLING_OPTIONS } from '../../../sampling/options.ts'
import { BEAM_OPTIONS, type BeamOptions, RESUME_OPTIONS, type ResumeOptions } from './continued.ts'
import { OUTPUT_OPTIONS, type OutputOptions } from './output.ts'
import { TEMPLATE_DATA } from './template.ts'

/**
 * What is not given is as the model's generation_config.json says (of a GGUF file: its general.sampling keys), else as written
 * here. Where neither the prompt nor the model names one of temperature, topP, topK, minP, typicalP, topNSigma and mirostat, tokens
 * are drawn at temperature 0.6 with topP 0.9.
 */
export interface SamplingOptions extends Omit<DrawingOptions, 'seed' | 'logitBias'> {
  /**
   * Added to the logits of tokens: -100..100, or -Infinity to forbid one. A key is a token's id or its text, as the tokenizer cuts it:
   * `{ 464: -Infinity, ' the': 2 }`. A text of several tokens is an OptionError: `bannedTexts` is for such.
   */
  readonly logitBias?: Readonly<Record<number | string, number>>
  /**
   * A whole number; same seed, same text. Default: random, reported in the result; a text that goes on without new words
   * draws on, as if it had not paused.
   */
  readonly seed?: number
}

/**
 * What proposes draft tokens: nothing, the text's own n-grams, a draft model, or the model's own module of multi-token prediction
 * (docs/speculation.md).
 */
export type SpeculationKind = 'off' | 'ngram' | 'draft' | 'mtp'

/** Progress of reading a prompt. The first report comes before it is read. */
export interface PromptProgress {
  /** Of the prompt's tokens, those that are read: rows that were cached count. */
  readonly tokens: number
  /** All tokens of the prompt, with what the session held before. */
  readonly total: number
}

/** Options of `session.prompt`, `engine.generate` and the calls built on them; `T`: what `value` is. */
export interface PromptOptions<T = unknown> extends SamplingOptions, OutputOptions<T> {
  /** Default: until the text or the context ends. */
  readonly maxTokens?: number
  /** The text ends before any of these; they are never part of it. */
  readonly stopSequences?: readonly string[]
  /** Ids that end the text beside the model's own end-of-text tokens, with `ignoreEos` too; they are no part of it. Default: none. */
  readonly stopTokenIds?: readonly number[]
  /** Go on after an end-of-text token. Default false. */
  readonly ignoreEos?: boolean
  /**
   * The text does not end before it has so many tokens: no token that would end it is drawn, and stop sequences count only in what
   * comes after. At most maxTokens. Default: the model's, else 0.
   */
  readonly minTokens?: number
  /**
   * Texts that never appear in what is generated, however they are cut into tokens: the token that would complete one is not
   * drawn. Compared exactly, with case; one may begin at the end of the prompt. What was already shown stays: nothing is taken back to
   * choose another beginning (docs/sampling.md). Default: none.
   */
  readonly bannedTexts?: readonly string[]
  /**
   * Most tokens of reasoning, counted from the model's opening mark (`<think>`) in the prompt or the answer; then its end mark is
   * written whatever the model would write. 0: it ends at once. An OptionError for a model without such marks. Default: no bound.
   */
  readonly thinkingBudget?: number
  /** For text prompts: put the model's begin-of-text token first in an empty session. Default true. */
  readonly addSpecialTokens?: boolean
  /** Overrides the automatic choice of MLA's path for this call. */
  readonly attentionPath?: AttentionPath
  /**
   * Reuse only rows that a cold run would compute bit for bit (never generated ones on another path), so that the
   * result does not depend on what the session held. Default false: reused rows may be equal to rounding only.
   */
  readonly strict?: boolean
  /** Use what is cached, of this session and of others. Default true; false is for measurements. */
  readonly reuse?: boolean
  /**
   * Keep keys and values while the text is written. Default true; false computes all tokens again for each one, as models without a cache do,
   * to see what it saves: the text is the same. Not with beams.
   */
  readonly useCache?: boolean
  /**
   * Continue an answer to this prompt that was begun elsewhere, as if it had not been interrupted (docs/resume.md). Not with
   * beams, `continuations` and `bestOf`. Default: the answer begins.
   */
  readonly resume?: ResumeOptions
  /**
   * Beam search in place of drawing tokens one by one: the text comes when the search is over, and `Completion.beams` has
   * all that were found. Not with what stops a text, penalties, `logitBias`, `logprobs` and the options that are
   * refused by name; temperature, topK, topP, minP and seed have no effect. Default: none.
   */
  readonly beams?: BeamOptions
  /**
   * Report the log-probability of every token, and of so many of the likeliest at its place; 0: only its own. Natural
   * logarithms of the model's own probabilities, before temperature, penalties and filters. Default: none.
   */
  readonly logprobs?: number
  /**
   * Guess several tokens ahead and check them in one step: `ngram` repeats what followed the last tokens before, `draft`
   * asks the draft model, `mtp` the model's own module of multi-token prediction. The text is the same token by token, only sooner
   * where the guesses hold (docs/speculation.md). Default: `draft` if the engine has a draft model, `mtp` if it has loaded a module,
   * else `off`.
   */
  readonly speculation?: SpeculationKind
  /**
   * A whole number; the higher goes first for tokens of a step and for cache memory, but nobody waits for ever
   * (docs/engine.md). Results do not depend on it. Default 0.
   */
  readonly priority?: number
  /** Special tokens (end of turn, tool markers …) give no text. Default true. */
  readonly skipSpecialTokens?: boolean
  /**
   * Control tokens that are written out in the prompt (`<|im_end|>`) become these tokens; false: they are plain text. Default
   * true for a text; false for messages, so that nobody who writes in a chat can end a turn or begin another. What the
   * chat template itself writes always counts.
   */
  readonly parseSpecial?: boolean
  /** For messages: tool definitions in OpenAI's form, for the chat template. */
  readonly tools?: readonly unknown[]
  /** For messages: further variables of the chat template, such as `enable_thinking`. */
  readonly templateVariables?: Readonly<Record<string, unknown>>
  /** For messages: go on with the last message, an answer that has begun, instead of answering it. Default false. */
  readonly continueFinalMessage?: boolean
  /**
   * Hears what the cache has of a prompt before it is read, then how far it is read, ten times a second at most, until the first token
   * comes. Not with beams. What it throws is lost. Default: nobody.
   */
  readonly onPromptProgress?: (progress: PromptProgress) => void
  /**
   * Ends the generation, which rejects with the signal's reason. A deadline: `AbortSignal.timeout(ms)`. If the engine's thread
   * does not react for some seconds, the engine starts a new one and loses its other sessions.
   */
  readonly signal?: AbortSignal
}

export const PROMPT_OPTIONS = {
  ...SAMPLING_OPTIONS,
  logitBias: {
    kind: textBiases,
    description: "added to a token's logit; -Infinity: never",
    flag: '--logit-bias <token=x>',
  },
  ...OUTPUT_OPTIONS,
  maxTokens: {
    kind: whole(0),
    description: 'end after n tokens',
    defaultText: 'until the text or the context ends',
    flag: '--max-tokens <n>',
  },
  stopSequences: { kind: list(text, 'texts'), description: 'end before any of these texts', flag: '--stop <text>' },
  stopTokenIds: { kind: list(whole(0), 'token ids'), description: 'end at any of these ids, too' },
  minTokens: {
    kind: whole(0),
    description: 'do not end before n tokens',
    defaultText: "the model's, else 0",
    flag: '--min-tokens <n>',
  },
  bannedTexts: {
    kind: list(text, 'texts'),
    description: 'texts that never appear: the token that completes one is not drawn',
    flag: '--ban <text>',
  },
  thinkingBudget: {
    kind: whole(0),
    description: 'end the reasoning after n tokens',
    defaultText: 'no bound',
    flag: '--thinking-budget <n>',
  },
  ignoreEos: { kind: flag, description: 'go on after the end of the text', flag: '--ignore-eos' },
  addSpecialTokens: { kind: flag, description: "put the model's begin-of-text token first", defaultText: 'true' },
  attentionPath: {
    kind: choice(['expanded', 'absorbed']),
    description: "MLA's path",
    defaultText: 'chosen by position',
    flag: '--path <path>',
  },
  strict: { kind: flag, description: 'reuse only rows that a cold run would compute bit for bit' },
  reuse: { kind: flag, description: 'use what is cached', defaultText: 'true' },
  useCache: {
    kind: flag,
    description: 'keep keys and values while the text is written; false computes all tokens again for each one',
    defaultText: 'true',
  },
  resume: { kind: nested(RESUME_OPTIONS), description: 'continue an answer that was begun elsewhere' },
  beams: { kind: nested(BEAM_OPTIONS), description: 'beam search instead of drawing' },
  logprobs: { kind: whole(0), description: "log-probabilities of each token and of so many of its place's likeliest" },
  speculation: {
    kind: choice(['off', 'ngram', 'draft', 'mtp']),
    description: 'guess ahead, same text',
    defaultText: 'what is loaded for it, else off',
    flag: '--speculate <way>',
  },
  priority: { kind: whole(), description: 'the higher goes first', defaultText: '0' },
  skipSpecialTokens: { kind: flag, description: 'special tokens give no text', defaultText: 'true' },
  parseSpecial: {
    kind: flag,
    description: 'control tokens that are written out are these tokens',
    defaultText: 'true for a text',
  },
  ...TEMPLATE_DATA,
  onPromptProgress: { kind: callback, description: 'hears how far the prompt is read' },
  signal: { kind: signal, description: 'ends the text' },
} satisfies OptionTable<PromptOptions>
