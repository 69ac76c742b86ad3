/**
 * What the engine's two halves say to each other: the client (`engine.ts`) in the caller's thread, the host
 * (`host.ts`) in the worker. Plain data that survives a structured clone, in order, nothing else; so the same halves
 * work over a worker of Node, a web worker or a direct call.
 */

import type { FormatName, PromptEnd } from '../../formats/index.ts'
import type { Demand } from '../../grammar/check.ts'
import type { GrammarSource } from '../../grammar/matcher.ts'
import type { ReadSchema } from '../../grammar/schema/grammar.ts'
import type { About, Answers, Question } from '../../reading/questions.ts'
import type { Conversation, CountedChat } from './chat.ts'
import type { InfillText, Message, Prompt } from './options/input.ts'
import type { LoadOptions, ProgressEvent } from './options/load.ts'
import type { OutputOptions } from './options/output.ts'
import type { PromptOptions, PromptProgress } from './options/prompt.ts'
import type { RestoreOptions, SaveOptions, SessionOptions } from './options/session.ts'
import type { ChatTemplateOptions } from './options/template.ts'
import type { DetokenizeOptions, TokenizeOptions } from './options/tokens.ts'
import type { EmbedOptions, EmbedProgress, RerankOptions } from './options/vectors.ts'
import type { CacheStats, Chunk, Completion, EngineCacheStats, ModelInfo, SavedSession } from './results.ts'
import type { Signs } from './signs.ts'

/** Options without what cannot cross the border. */
export type HostLoadOptions = Omit<LoadOptions, 'signal' | 'onProgress' | 'onNotice' | 'inline'>
export type HostEmbedOptions = Omit<EmbedOptions, 'signal' | 'onProgress'>
export type HostRerankOptions = Omit<RerankOptions, 'signal' | 'onProgress'>
export type HostPromptOptions = Omit<PromptOptions, 'signal' | 'onPromptProgress' | keyof OutputOptions> & {
  /** The messages are a conversation with tools (`session.chat`). */
  readonly conversation?: Conversation
  /** The grammar holds from this text on. Default: from the beginning, after reasoning. */
  readonly trigger?: CallTrigger
}

/** The texts with which calls begin. */
export interface CallTrigger {
  readonly texts: readonly string[]
  /** Null: they count wherever they come; else only as the beginning of an answer, after blanks and these texts. */
  readonly leads: readonly string[] | null
}

/** What the reader of an answer needs. */
export interface PreparedChat {
  readonly format: FormatName
  readonly prompt: PromptEnd
  /** What the answer is held to; null: nothing. */
  readonly forced: GrammarSource | null
  /** The text from which on `forced` holds it. Default: from its beginning. */
  readonly trigger?: CallTrigger
  /** Texts of the tokens that end an answer. */
  readonly ends: readonly string[]
  /** Reasoning ends at once. Default: when the model ends it. */
  readonly thinks?: false
  /** Marks of channels by the tokens that they are; absent: they are looked for in the text. */
  readonly marks?: Readonly<Record<number, string>>
}

/** An error by its parts; `wire-errors.ts` takes it apart and rebuilds it. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly code: string | null
  readonly stack: string | null
  /** Further fields with plain values. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** What a session holds now. The client keeps a copy of the token ids and is told only what changed. */
export interface SessionState {
  readonly cache: CacheStats
  /** So many of the ids told before still hold; `tokens` follow them. */
  readonly keep: number
  readonly tokens: readonly number[]
}

/** Calls that get one reply. */
export type Call =
  | { readonly method: 'tokenize'; readonly text: string; readonly options: TokenizeOptions }
  | { readonly method: 'detokenize'; readonly tokenIds: readonly number[]; readonly options: DetokenizeOptions }
  | { readonly method: 'tokenBytes'; readonly tokenIds: readonly number[] }
  | { readonly method: 'template'; readonly messages: readonly Message[]; readonly options: ChatTemplateOptions }
  | {
      readonly method: 'chat' | 'countChat'
      /** Whose own answers count; absent: those of nobody in particular. */
      readonly session?: number
      readonly messages: readonly Message[]
      readonly conversation: Conversation
      readonly variables: Readonly<Record<string, unknown>> | undefined
    }
  | { readonly method: 'reset'; readonly session: number }
  | { readonly method: 'close'; readonly session: number }
  | { readonly method: 'fork'; readonly session: number; readonly as: number }
  | { readonly method: 'drop'; readonly session: number; readonly from: number; readonly to: number }
  | { readonly method: 'save'; readonly session: number; readonly file: string; readonly options: SaveOptions }
  | { readonly method: 'restore'; readonly as: number; readonly file: string; readonly options: RestoreOptions }
  /** What is wrong with a finished answer; null: nothing. */
  | { readonly method: 'check'; readonly demand: Demand; readonly text: string }
  /** A schema, which is JSON, as a grammar. */
  | { readonly method: 'readSchema'; readonly schema: string }
  | { readonly method: 'cache' }
  | { readonly method: 'fingerprint' }
  /** What config.json says. */
  | { readonly method: 'config' }
  | {
      readonly method: 'embed'
      readonly texts: readonly (string | readonly number[])[]
      readonly options: HostEmbedOptions
      /** Somebody wants to know how many are done. */
      readonly reports: boolean
    }
  | {
      readonly method: 'rerank'
      readonly query: string
      readonly documents: readonly string[]
      readonly options: HostRerankOptions
      readonly reports: boolean
    }
  /** A text to be read, and questions about one that was. */
  | { readonly method: 'inspect'; readonly reading: number; readonly question: Question }

export interface Replies {
  readonly tokenize: readonly number[]
  readonly detokenize: string
  readonly tokenBytes: readonly Uint8Array[]
  readonly template: string
  readonly chat: PreparedChat
  readonly countChat: CountedChat
  readonly reset: SessionState
  readonly close: null
  readonly fork: SessionState
  readonly drop: SessionState
  readonly save: SavedSession
  readonly restore: SessionState
  readonly check: string | null
  readonly readSchema: ReadSchema
  readonly cache: EngineCacheStats
  readonly fingerprint: string
  readonly config: Readonly<Record<string, unknown>>
  /** `vectors`: f32 [texts, dimensions]. */
  readonly embed: { readonly vectors: Float32Array; readonly tokens: number; readonly truncated: readonly number[] }
  /** `scores`: f32 [documents]. */
  readonly rerank: { readonly scores: Float32Array; readonly tokens: number; readonly truncated: readonly number[] }
  readonly inspect: Answers[About]
}

export type ToHost =
  | { readonly type: 'load'; readonly source: string; readonly options: HostLoadOptions }
  | { readonly type: 'open'; readonly session: number; readonly options: SessionOptions }
  | {
      readonly type: 'prompt'
      readonly id: number
      readonly session: number
      readonly prompt: Prompt | InfillText
      readonly options: HostPromptOptions
      /** Somebody wants to know how far it is read. */
      readonly reports?: boolean
      /** The text is held to a grammar, which comes in a message of its own. */
      readonly held?: boolean
    }
  /** The grammar of a prompt. */
  | { readonly type: 'grammar'; readonly id: number; readonly session: number; readonly source: GrammarSource }
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'call'; readonly id: number; readonly call: Call }
  /** Asks for a sign of life. */
  | { readonly type: 'ping' }
  | { readonly type: 'dispose' }

/** Chunks of one prompt since the last message. */
export interface WireChunks {
  readonly id: number
  readonly chunks: readonly Chunk[]
}

export type FromHost =
  | { readonly type: 'progress'; readonly event: ProgressEvent }
  | { readonly type: 'notice'; readonly text: string }
  | { readonly type: 'ready'; readonly info: ModelInfo }
  | { readonly type: 'failed'; readonly error: WireError }
  /** How far a prompt is read. */
  | { readonly type: 'reading'; readonly id: number; readonly progress: PromptProgress }
  /** How many texts of a call are done. */
  | { readonly type: 'embedding'; readonly id: number; readonly progress: EmbedProgress }
  | { readonly type: 'chunks'; readonly batches: readonly WireChunks[] }
  | {
      readonly type: 'finished'
      readonly id: number
      readonly completion: Completion
      readonly state: SessionState
    }
  | {
      readonly type: 'stopped'
      readonly id: number
      readonly error: WireError
      readonly state: SessionState | null
    }
  | { readonly type: 'reply'; readonly id: number; readonly value: Replies[keyof Replies] }
  | { readonly type: 'refused'; readonly id: number; readonly error: WireError }

/** One end's view of the other: where messages go, and how the line is held open or cut. */
export interface HostLink {
  post(message: ToHost): void
  /** Of a thread that can be ended whatever it does; undefined where the host runs in the caller's thread. */
  readonly signs?: Signs
  /** While work is pending the process must not end by itself; while idle it may. */
  hold(pending: boolean): void
  /** Resolves when the host has ended by itself. */
  ended(): Promise<void>
  /** Ends the host whatever it is doing. */
  terminate(): Promise<void>
}

export interface HostEvents {
  message(message: FromHost): void
  /** The host has ended; `error` unless it was asked to. */
  closed(error: Error | null): void
}

export type OpenLink = (events: HostEvents) => HostLink

/** How a host is reached on this machine: in a thread of its own, or in the caller's. */
export interface Links {
  worker(): Promise<OpenLink>
  inline(): Promise<OpenLink>
}
