/** Names of the formats; `generic` suits any model that reads JSON. */
export const FORMAT_NAMES = [
  'generic',
  'deepseek-v2',
  'deepseek-v3',
  'deepseek-v3.1',
  'deepseek-v3.2',
  'kimi-k2',
  'glm-4.5',
  'glm-4.7',
  'hermes',
  'qwen3-coder',
  'llama-3',
  'minicpm3',
  'youtu',
  'gemma',
  'mistral',
  'gpt-oss',
  'gemma-4',
  'kimi-vl',
  'lfm2',
  'granite',
  'phi-4',
  'hunyuan',
  'longcat',
  'longcat-2601',
  'glm-4',
  'gigachat3',
  'gigachat3.1',
] as const

/** How a family writes reasoning and calls of tools. */
export type FormatName = (typeof FORMAT_NAMES)[number]

/** Texts around something. */
export interface Around {
  readonly begin: string
  readonly end: string
}

/**
 * How the name and the arguments of one call are written.
 *
 * - `object`: one JSON object, `{"name": NAME, "arguments": {…}}`; `arguments` is the field's name.
 * - `separated`: the name, a separator, and the arguments as JSON. Without a mark of its own, a call begins with the name of a tool.
 * - `pairs`: the name, and each argument between tags of its own: texts as they are, the rest as JSON.
 * - `python`: `NAME(k=v, …)` with Python's literals.
 * - `quoted`: `NAME{KEY:VALUE,…}` as JSON, but keys stand bare and texts between marks. `prefix`: may stand before the name.
 */
export type Body =
  | { readonly kind: 'object'; readonly arguments: 'arguments' | 'parameters' }
  | { readonly kind: 'separated'; readonly separator: string }
  | ({ readonly kind: 'pairs' } & Pairs)
  | { readonly kind: 'python' }
  | { readonly kind: 'quoted'; readonly prefix: string; readonly quote: string }

/** The tags of `pairs`. */
export interface Pairs {
  /** Ends the name; where it is a tag, the tag is read again. */
  readonly nameEnd: readonly string[]
  /** In front of the argument's name, and after it. */
  readonly keyBegin: string
  readonly keyEnd: string
  /** In front of the value; empty: the value follows the name's end. */
  readonly valueBegin: string
  readonly valueEnd: string
  /** One line break after the value's begin and one before its end are no part of a text. */
  readonly lines: boolean
}

/** How the calls of a message are written. */
export interface CallFormat {
  /** Marks around all calls, without the blanks around them: those that the reader accepts. */
  readonly section: { readonly begin: readonly string[]; readonly end: readonly string[] } | null
  /** Mark in front of each call, without blanks; empty: calls have none, and are found as the first text of an answer. */
  readonly begin: string
  readonly end: string
  readonly body: Body
  /** The exact text that is written. `NAME` is the name, `"NAME"` the name in JSON, `IDX` the number of the call. */
  readonly text: {
    readonly open: string
    readonly begin: string
    readonly end: string
    readonly between: string
    readonly close: string
    /** Of `pairs`, `python` and `quoted`: one argument; `KEY` is its name. `text` and `json`: for values of either kind. */
    readonly argument?: { readonly text: Around; readonly json: Around; readonly between: string }
  }
}

/** What stands in front of the messages of an answer. */
export interface Channels {
  /** Begins each message after the first, which the prompt begins. */
  readonly next: string
  /** Begins the text of the message that is for the user. */
  readonly answer: string
}

/** A family's format, as data. */
export interface ChatFormat {
  readonly name: FormatName
  readonly reasoning: Around
  /** Marks that a model may write around the text after its reasoning, no part of it. Default: none. */
  readonly answer?: Around
  /** An answer is several messages, each in a channel (`ChannelParser`). Default: it is one message. */
  readonly channels?: Channels
  readonly calls: CallFormat
  /** How results are written where the template has no role for them. `ID` and `NAME` are the call's. */
  readonly result: Around
}
