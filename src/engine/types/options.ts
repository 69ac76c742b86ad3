/** What users of the engine give: options. camelCase, the AI SDK's names where it has one. */

import type { CacheTypeName } from '../../cache/types.ts'
import type { JsonSchema } from '../../grammar/schema/json-schema.ts'
import type { StandardSchemaV1 } from '../../grammar/standard-schema.ts'
import type { KernelSet } from '../../kernels/contract/kernels.ts'
import type { AttentionPath } from '../../nn/attention/path.ts'
import type { EncodableType } from '../../quant/numbers.ts'
import type { SamplingOptions as DrawingOptions } from '../../sampling/options.ts'

/** A kernel set. `auto`: `native`, or `wasm` if the native kernels cannot be loaded. `reference`: plain TypeScript, slow. */
export type KernelChoice = 'auto' | KernelSet

/** Progress of `Engine.load`. */
export interface ProgressEvent {
  /**
   * The current stage: `resolve` looks up a name on the hub, `download` fetches a file, `load` reads weights, `ready` is the
   * end. `write` is never reported while a model loads.
   */
  readonly status: 'resolve' | 'download' | 'load' | 'write' | 'ready'
  /** `resolve`: the name on the hub. `download`: the file. `load`: the tensor. `ready`: the source that was given. */
  readonly file: string
  /** Bytes done: of this file while downloading, of all weights while loading. */
  readonly loaded: number
  /** The total of the same bytes; 0 for `resolve`. */
  readonly total: number
}

/** Options of `Engine.load`. */
export interface LoadOptions {
  /** Default `auto`: native where it can be had, else WebAssembly. */
  readonly kernels?: KernelChoice
  /** Compute threads. Default: the machine's available parallelism. */
  readonly threads?: number
  /** Forces an instruction set: of the native kernels such as `avx2`, of WebAssembly's `simd128` or `relaxed-simd`. Default: the best. */
  readonly isa?: string
  /**
   * Type of the cached numbers. Default f16; bf16 where the machine multiplies pairs of bf16 and weights are quantised,
   * whose activations of 8 bits round more.
   */
  readonly cacheType?: CacheTypeName
  /**
   * Turns the matrices into this type while loading: `q8_0`, `q4_k`, `bf16` … Embedding, output, routers and the
   * projection to MLA's latent get a type that suits them (docs/gguf.md). Default: as they are stored.
   */
  readonly weights?: EncodableType
  /**
   * Quantised weights are computed as f32 with f32 activations, instead of on their blocks with 8-bit activations:
   * slower, for verification. Default false.
   */
  readonly exact?: boolean
  /** Tokens a session may hold. Default: what the model was made for. */
  readonly contextLength?: number
  /**
   * Bound on all cache blocks, those of sessions and those kept for prompts to come, in bytes; what drafts (`draft`,
   * `mtp`) has as much for itself. Default: none.
   */
  readonly cacheBytes?: number
  /**
   * Bound on the blocks that no session holds any more and that are kept for prompts that begin alike. 0: none are.
   * Default: `cacheBytes`, else 1 GiB.
   */
  readonly keptBytes?: number
  /**
   * A folder where full blocks are kept for later processes; several may use it at once. In a page: of the browser, for later
   * visits and all tabs. Default: none are kept.
   */
  readonly cacheDir?: string
  /** Bound on that folder, in bytes; the longest unused go first. Default 2 GiB; in a page at most half of what it gives. */
  readonly cacheDirBytes?: number
  /**
   * Tokens of one step: one of each text that is being written, the rest for prompts. Default 512, or 1024 of a prompt
   * that is alone. Results do not depend on it.
   */
  readonly chunkSize?: number
  /**
   * A small model, as `source` names one, that guesses ahead for this one (`speculation`). Its tokens must be the same.
   * Default: none.
   */
  readonly draft?: string
  /**
   * Load the model's own module of multi-token prediction (DeepSeek-V3, GLM-4.7), which guesses ahead (`speculation`): `on`, `off`, or
   * `auto`, where there is one. Off, it takes no memory. Default `off`.
   */
  readonly mtp?: 'off' | 'on' | 'auto'
  /**
   * A LoRA adapter, the folder that PEFT writes (adapter_config.json, adapter_model.safetensors) or llama.cpp's GGUF file, applied to the model as it
   * is computed, whose weights stay as they are. In Node only. Default: none.
   */
  readonly lora?: string
  /** A chat template (Jinja) in place of the model's own. */
  readonly chatTemplate?: string
  /** A chat template for a model that has none of its own. Default: such a model takes no messages. */
  readonly fallbackTemplate?: string
  /** Never use the network. Default false. */
  readonly offline?: boolean
  /** Where the hub is and where its files are kept; the command line fills this from the environment. */
  readonly hub?: {
    /** Address of the hub. Default https://huggingface.co. */
    readonly endpoint?: string
    /** Access token; sent to `endpoint` only, never to the servers that it redirects to. Default: none. */
    readonly token?: string
    /** Folder of downloaded models, shared with Python's huggingface_hub. Default `~/.cache/huggingface/hub`. */
    readonly cacheDir?: string
  }
  /**
   * Run in the caller's thread instead of a worker: for tests and debugging; blocks the event loop, and nothing can stop it where
   * a model's regular expression or template never ends. Default false.
   */
  readonly inline?: boolean
  /** Ends loading: `load` rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** What it throws while the model loads is what loading throws. */
  readonly onProgress?: (event: ProgressEvent) => void
  /**
   * Hears in a sentence of what went wrong and does no harm: a damaged block on disk, a full disk, a thread that was replaced.
   * What it throws while the model loads is what loading throws; later it is lost.
   */
  readonly onNotice?: (notice: string) => void
}

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

/** Progress of reading a prompt. The first report comes before it is read. */
export interface PromptProgress {
  /** Of the prompt's tokens, those that are read: rows that were cached count. */
  readonly tokens: number
  /** All tokens of the prompt, with what the session held before. */
  readonly total: number
}

/**
 * What proposes draft tokens: nothing, the text's own n-grams, a draft model, or the model's own module of multi-token prediction
 * (docs/speculation.md).
 */
export type SpeculationKind = 'off' | 'ngram' | 'draft' | 'mtp'

/**
 * What the text is held to while it is drawn: at most one of these (docs/structured-output.md). Reasoning before it stays
 * free. Not with `ignoreEos`. A stop sequence ends the text wherever it comes; a value that it cuts is undefined.
 */
export interface OutputOptions<T = unknown> {
  /**
   * JSON that satisfies a schema: a JSON schema, or one of zod, valibot or another library that can be written as a JSON
   * schema (Standard Schema). SchemaError names what of it cannot be held.
   */
  readonly schema?: JsonSchema | StandardSchemaV1<unknown, T>
  /** JSON: an object. Default false. */
  readonly json?: boolean
  /**
   * A text that the whole regular expression matches; without look-around and back-references. Its flags `i` and `s` count, those that
   * change nothing for a whole text may be there, `m` is refused. A text is the expression itself, which may begin with `(?i)`, `(?s)` or `(?is)`.
   */
  readonly regex?: string | RegExp
  /** One of these texts. */
  readonly choices?: readonly string[]
  /** A text of this grammar, in llguidance's form of Lark (it begins at `start`) or in llama.cpp's GBNF (at `root`). */
  readonly grammar?: string
}

/** Options with which `value` is the text; `C`: which texts it may be. */
export type TextForm<C extends string = string> =
  | {
      /** One of these texts. */
      readonly choices: readonly C[]
    }
  | {
      /** A text that the whole regular expression matches. */
      readonly regex: string | RegExp
    }
  | {
      /** A text of this grammar. */
      readonly grammar: string
    }

/** What `value` is: an object where the option `json` is true (`J`), else what the schema says (`T`). */
export type JsonValue<T, J extends boolean> = [J] extends [true] ? { [key: string]: unknown } : T

/** The option `json`, as its type is seen by a call. */
export interface JsonForm<J extends boolean = boolean> {
  /** JSON: an object. Default false. */
  readonly json?: J
}

/** Options of `session.prompt`, `engine.generate` and the calls built on them; `T`: what `value` is. */
export interface PromptOptions<T = unknown> extends SamplingOptions, OutputOptions<T> {
  /** Default: until the text or the context ends. */
  readonly maxTokens?: number
  /** The text ends before any of these; they are never part of it. */
  readonly stopSequences?: readonly string[]
  /** Go on after an end-of-text token. Default false. */
  readonly ignoreEos?: boolean
  /**
   * The text does not end before it has so many tokens: no end-of-text token is drawn, and stop sequences count only in what
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
   * all that were found. Not with stop sequences, penalties, `logitBias`, `logprobs` and the options that are
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

/**
 * The beginning of an answer, as another engine wrote it. `Completion.text` and `tokenIds` are the whole answer; the iteration gives
 * only what is new, so that the text of the chunks here follows the text of the chunks there. `maxTokens` and `minTokens` count the
 * whole answer; `logprobs` are of the new tokens. Options must be those of the first call, with the seed that it reported.
 */
export interface ResumeOptions {
  /**
   * Ids that the answer has so far, in order: `Chunk.tokenId` of each chunk that came. They may end with an end-of-text token or a
   * stop sequence: then the answer is complete. Ids after its end and more than `maxTokens` are an OptionError; more than the
   * context holds, a ContextLengthError.
   */
  readonly tokenIds: readonly number[]
}

/** A prompt by its token ids. */
export interface PromptTokens {
  /** Read as they are: nothing is put before them, and no text is cut into tokens. */
  readonly tokenIds: ArrayLike<number>
}

/** What a session reads: a text or token ids, which continue its timeline, or the messages of a whole conversation. */
export type Prompt = string | PromptTokens | readonly Message[]

/** The texts around a gap. */
export interface InfillText {
  /** The text before the gap. */
  readonly prefix: string
  /** The text after it. */
  readonly suffix: string
}

/** Beam search instead of sampling. */
export interface BeamOptions {
  /** Texts that are followed at once, and that are found: 1 or more. */
  readonly width: number
  /**
   * Texts are compared by log-probability / tokens ** lengthPenalty. 0 favours short texts, 1 takes the mean, more favours
   * long ones. Default 1.
   */
  readonly lengthPenalty?: number
  /** End with the first `width` texts that end, instead of when no other can be expected to beat them. Default false. */
  readonly earlyStopping?: boolean
}

/** Options of `engine.session`. */
export interface SessionOptions {
  /** Tokens this session may hold. Default and upper bound: the engine's `contextLength`. */
  readonly contextLength?: number
  /** Where the context is full, go on without the oldest tokens. Default: the text ends with reason `context`. */
  readonly rolling?: RollingOptions
  /**
   * Whose the session is: what it has read is found again by sessions of the same text here, and by no others, in memory and on disk.
   * So nobody learns from the time of a first token what others have asked. Default: the session shares with all that name none.
   */
  readonly cacheSalt?: string
}

/** A window that rolls over an endless text; its first tokens stay (attention sinks, arXiv 2309.17453). */
export interface RollingOptions {
  /** Tokens from the start that stay: a system prompt, or the 4 that much attention rests on. Default 4. */
  readonly keep?: number
  /** Tokens after these that are dropped at a time. Default: half of the others. */
  readonly drop?: number
}

/** Options of `session.save`. */
export interface SaveOptions {
  /**
   * Keep what the model remembers, so that it need not be computed again. Default true; without, a file has a few KB,
   * and a session that goes on from it finds rows in the cache folder or computes them.
   */
  readonly rows?: boolean
  /** Anything that JSON can hold, for `inspectSession` to give back. */
  readonly notes?: unknown
}

/** Options of `engine.restore`. */
export interface RestoreOptions {
  /**
   * Where the rows cannot be used (another model with the same tokenizer, another arithmetic or cache type, no room), take
   * the history alone and compute them again when the session goes on. Default false: such a file is refused.
   */
  readonly recompute?: boolean
  /** Tokens the session may hold. Default: as when it was saved. */
  readonly contextLength?: number
  /** Whose the session is, as `SessionOptions.cacheSalt`. Default: it shares with all that name none. */
  readonly cacheSalt?: string
  /**
   * Other sessions of its salt find the full blocks of its rows in the cache, as if they had been computed here. Only for files that are
   * trusted: what they hold decides the answers of those sessions. Default false: the rows are the session's alone.
   */
  readonly share?: boolean
}

/** How a text's vector is made of its tokens' last hidden states: their mean, the last token's, or the first's. */
export type Pooling = 'mean' | 'last' | 'cls'

/** Options of `engine.embed`. What is not given is as the model's files say (`ModelInfo.embedding`). */
export interface EmbedOptions {
  /** How a vector is made of its tokens. */
  readonly pooling?: Pooling
  /** Divide vectors by their length, so that a dot product is the cosine. */
  readonly normalize?: boolean
  /**
   * Take the first n numbers of each vector, then normalise: for models trained so (matryoshka, arXiv 2205.13147). Default: all.
   */
  readonly dimensions?: number
  /** A name in `ModelInfo.embedding.prompts`: its text is put before each text. Default: the model's default prompt. */
  readonly promptName?: string
  /** Put before each text, in place of the model's prompts; '' is none. */
  readonly prompt?: string
  /** Cut a text that is too long at its end. Default false: it is an error. */
  readonly truncate?: boolean
  /** Ends the work: `embed` rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Hears how many texts are done, 20 times a second at most, and at the end. What it throws is lost. */
  readonly onProgress?: (progress: EmbedProgress) => void
}

/** Options of `engine.rerank`. */
export interface RerankOptions {
  /** Return the best n documents. Default: all. */
  readonly topN?: number
  /** Cut a document that is too long at its end. Default false: it is an error. */
  readonly truncate?: boolean
  /** Ends the work: `rerank` rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Hears how many documents are done, 20 times a second at most, and at the end. What it throws is lost. */
  readonly onProgress?: (progress: EmbedProgress) => void
}

/** Progress of `engine.embed` and `engine.rerank`. */
export interface EmbedProgress {
  /** Texts that are done. */
  readonly texts: number
  /** All texts of the call. */
  readonly total: number
}

/** Options of `engine.tokenize`. */
export interface TokenizeOptions {
  /** Let the tokenizer add its special tokens, as for the first text of a session. Default false. */
  readonly addSpecialTokens?: boolean
  /** Control tokens that are written out in the text become these tokens; false: they are plain text. Default true. */
  readonly parseSpecial?: boolean
}

/** Options of `engine.detokenize`. */
export interface DetokenizeOptions {
  /** Special tokens give no text. Default false. */
  readonly skipSpecialTokens?: boolean
}

/** Options of `engine.applyChatTemplate`. */
export interface ChatTemplateOptions {
  /** End with the opening of the assistant's answer. Default true, but false with continueFinalMessage. */
  readonly addGenerationPrompt?: boolean
  /** Leave the last message open, so that a text goes on with it. Not with addGenerationPrompt. Default false. */
  readonly continueFinalMessage?: boolean
  /** Tool definitions in OpenAI's form. Default: none. */
  readonly tools?: readonly unknown[]
  /** Further variables of the template, such as `enable_thinking`. */
  readonly templateVariables?: Readonly<Record<string, unknown>>
}

/** One message of a conversation. Other keys (`tool_calls`, `name` …) are passed to the chat template unchanged. */
export interface Message {
  /** The author; a model's template may define other roles than these four. */
  readonly role: 'system' | 'user' | 'assistant' | 'tool' | (string & {})
  /** The text; null in a message that only calls tools. */
  readonly content: string | null
  readonly [extra: string]: unknown
}
