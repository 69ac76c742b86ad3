/** Options of sessions and of their files. */
import { data, flag, nested, type OptionTable, text, whole } from '../../../options/kinds.ts'

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

const ROLLING_OPTIONS = {
  keep: { kind: whole(0), description: 'tokens from the start that stay', defaultText: '4' },
  drop: {
    kind: whole(1),
    description: 'tokens after these that are dropped at a time',
    defaultText: 'half of the others',
  },
} satisfies OptionTable<RollingOptions>

export const SESSION_OPTIONS = {
  contextLength: { kind: whole(1), description: 'tokens this session may hold', defaultText: "the engine's" },
  rolling: { kind: nested(ROLLING_OPTIONS), description: 'go on without the oldest tokens where the context is full' },
  cacheSalt: { kind: text, description: 'what is cached is shared with sessions of the same text only' },
} satisfies OptionTable<SessionOptions>

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

export const SAVE_OPTIONS = {
  rows: { kind: flag, description: 'keep what the model remembers', defaultText: 'true' },
  notes: { kind: data, description: 'anything that JSON can hold' },
} satisfies OptionTable<SaveOptions>

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

export const RESTORE_OPTIONS = {
  recompute: { kind: flag, description: 'where the rows cannot be used, compute them again' },
  contextLength: { kind: whole(1), description: 'tokens the session may hold', defaultText: 'as when it was saved' },
  cacheSalt: { kind: text, description: 'what is cached is shared with sessions of the same text only' },
  share: { kind: flag, description: 'others find its rows in the cache: only for files that are trusted' },
} satisfies OptionTable<RestoreOptions>
