import { OptionError } from '../errors.ts'
import { type AddedToken, AddedTokenFinder } from './added-tokens.ts'
import { type ChatMessage, type ChatTemplateOptions, ChatTemplates } from './chat-template.ts'
import { ControlMarks, looksFor } from './control-marks.ts'
import { Detokenizer, type DetokenizerOptions, decodeAll, TokenPieces } from './detokenizer.ts'
import { describe, messageOf, TokenizerError } from './errors.ts'
import { type InfillMarks, infillMarks } from './infill.ts'
import { type PlainControls, TextCutter } from './text-cutter.ts'
import { compileDecoder } from './token-decoder.ts'
import { readTokenizerConfig, type TokenizerConfig } from './tokenizer-config.ts'
import { isObject, readTokenizerJson, specialTokensOf, type TokenizerJson } from './tokenizer-json.ts'

export interface TokenizerFiles {
  /** The parsed tokenizer.json. */
  readonly tokenizer: unknown
  /** The parsed tokenizer_config.json. Default: none, so no named tokens and no template. */
  readonly config?: unknown
  /** The text of chat_template.jinja; replaces the config's default template. */
  readonly chatTemplate?: string | undefined
  /** Prefix of file names in errors, e.g. 'models/tales/'. Default ''. */
  readonly folder?: string
}

/** Texts with the special tokens around and between them. */
export interface EncodedTexts {
  /** Of the texts and the special tokens, in order. */
  readonly ids: number[]
  /** Of each token: 0 in the first text, 1 in the second. */
  readonly types: number[]
}

/** Options of `Tokenizer.encode`. */
export interface EncodeOptions {
  /** Let tokenizer.json's post-processor add its tokens. Default true. */
  readonly addSpecialTokens?: boolean
  /**
   * Control tokens written out in the text (`<|im_end|>`) become these tokens; false: they are tokenised like any text.
   * Control tokens are the special tokens and those that look like them. Default true.
   */
  readonly parseSpecial?: boolean
}

/** Options of `Tokenizer.encodeChat`. */
export interface EncodeChatOptions extends ChatTemplateOptions {
  /**
   * Control tokens written out in messages become these tokens; false: they are tokenised like any text, so that users of a
   * chat cannot end a turn or begin another. Control tokens of the template itself always count. Default false.
   */
  readonly parseSpecial?: boolean
}

/** What `Tokenizer.arrangedChat` is given. */
interface ArrangedChat {
  readonly messages: readonly unknown[]
  readonly tools: readonly unknown[]
  readonly arrange: (
    messages: readonly unknown[],
    tools: readonly unknown[],
  ) => { readonly messages: readonly ChatMessage[]; readonly tools: readonly unknown[] | undefined }
  readonly variables?: Readonly<Record<string, unknown>>
  /** How the text ends: with the opening of an answer, within the last message, or with that message's end. Default `opening`. */
  readonly end?: 'opening' | 'continued' | 'closed'
  /** The time for templates that write it. Default: now. */
  readonly now?: Date
}

/** A conversation as the template writes it. */
interface ArrangedText {
  readonly text: string
  /** Ids of a range of it, by itself. */
  cut(at: number, end: number): number[]
}

type OwnRanges = (
  text: string,
) => readonly { readonly at: number; readonly end: number; readonly ids: readonly number[] }[]

/** Builds a tokenizer from a checkpoint's files. Throws TokenizerError naming file and key. */
export function createTokenizer(files: TokenizerFiles): Tokenizer {
  const folder = files.folder ?? ''
  const file = `${folder}tokenizer.json`
  const json = readTokenizerJson(files.tokenizer, file)
  const config = readTokenizerConfig(files.config, `${folder}tokenizer_config.json`, files.chatTemplate)
  return new Tokenizer(json, config, file)
}

/**
 * Converts text to ids and back. Ids are decoded by their bytes, so that whole and streamed text agree. Added tokens
 * written out in a text ("<|im_end|>") become these tokens, as in every tokenizer of this format, unless `parseSpecial` is
 * false.
 */
export class Tokenizer {
  /** The highest id + 1. A model's embedding may have more rows. */
  readonly vocabSize: number
  /** Beginning-of-text token; undefined if tokenizer_config.json names none that the vocabulary has. */
  readonly bosId: number | undefined
  /** End-of-text token, under the same condition. */
  readonly eosId: number | undefined
  /** Padding token, under the same condition. */
  readonly padId: number | undefined
  /** Token for unknown text, under the same condition. */
  readonly unkId: number | undefined
  /** Whether a prompt begins with `bosId`; see `encodePrompt`. */
  readonly startsWithBos: boolean
  /** @internal Marks of a gap that the model fills; null: it has none. */
  readonly infill: InfillMarks | null
  readonly #cutter: TextCutter
  readonly #pieces: TokenPieces
  readonly #special: ReadonlySet<number>
  readonly #templates: ChatTemplates
  readonly #marks: ControlMarks
  readonly #added: readonly string[]
  /** Special tokens by their text. Created at first use. */
  #specialTexts: AddedTokenFinder | undefined
  readonly #sought = new Map<AddedToken, boolean>()

  constructor(json: TokenizerJson, config: TokenizerConfig, file: string) {
    const steering = new Set<string | number>([...config.named.values(), ...config.additional])
    const addedTokens = json.addedTokens.map(token =>
      steering.has(token.content) || steering.has(token.id) ? { ...token, control: true } : token,
    )
    this.#marks = new ControlMarks(addedTokens)
    this.#added = addedTokens.map(({ content }) => content)
    this.#cutter = new TextCutter({ ...json, addedTokens }, file)
    const decoder = compileDecoder(json.decoder, file)
    this.#pieces = new TokenPieces(id => {
      const token = this.idToToken(id)
      return token === undefined
        ? undefined
        : { ...decoder.piece(token, this.#cutter.isAdded(id)), special: this.isSpecial(id) }
    }, decoder.strip)
    this.vocabSize = highestId(json) + 1

    const idOf = (role: string) => this.#resolve(config.named.get(role))
    this.bosId = idOf('bos')
    this.eosId = idOf('eos')
    this.padId = idOf('pad')
    this.unkId = idOf('unk')
    this.infill = infillMarks(config.infill, token => this.#resolve(token))
    const named = [...config.named.values(), ...config.additional].map(token => this.#resolve(token))
    const added = json.addedTokens.filter(token => token.special).map(token => token.id)
    this.#special = new Set([...added, ...named.filter(id => id !== undefined)])

    const around = specialTokensOf(json.postProcessor)
    for (const token of around) {
      if (this.tokenToId(token) === undefined) {
        throw new TokenizerError(
          `${file}: "post_processor" adds ${describe(token)}, which the vocabulary does not have`,
        )
      }
    }
    this.startsWithBos = this.#wantsBos(around, config.addBos)
    this.#templates = new ChatTemplates(config.templates, this.#templateTokens(config))
  }

  /**
   * The ids of a text by tokenizer.json's rules: its post-processor decides whether to add a beginning-of-text token. Use
   * `encodePrompt` for a prompt and `encodeChat` for a conversation.
   */
  encode(text: string, { addSpecialTokens = true, parseSpecial = true }: EncodeOptions = {}): number[] {
    if (typeof text !== 'string') throw new OptionError(`text is ${describe(text)}; expected a string`)
    return this.#cut(text, addSpecialTokens, parseSpecial ? 'none' : 'all')
  }

  /**
   * The ids of a prompt that the model continues: with exactly one beginning-of-text token if the model wants it. `bos`
   * overrides the files.
   */
  encodePrompt(text: string, options: { readonly bos?: boolean; readonly parseSpecial?: boolean } = {}): number[] {
    const { bos, ...how } = options
    const ids = this.encode(text, { ...how, addSpecialTokens: false })
    const wanted = bos ?? this.startsWithBos
    if (!wanted || this.bosId === undefined || ids[0] === this.bosId) return ids
    ids.unshift(this.bosId)
    return ids
  }

  /**
   * Token ids of a text, or of two, with the tokens that tokenizer.json's post-processor puts around and between them; and the
   * kind of each (0 and 1: the first and the second text). Throws TokenizerError where the files say nothing of two texts.
   */
  around(ids: readonly number[], pair: readonly number[] | null = null): EncodedTexts {
    try {
      const { ids: all, types } = this.#cutter.around(ids, pair)
      const known = all.filter(id => id !== undefined)
      const whole = known.length === all.length && all.length >= ids.length + (pair?.length ?? 0)
      if (whole) return { ids: known, types }
      throw new Error('the post_processor of tokenizer.json does not put their tokens together')
    } catch (error) {
      const what = pair ? 'Two texts' : 'A text'
      throw new TokenizerError(`${what} cannot be encoded: ${messageOf(error)}`, { cause: error })
    }
  }

  /** The text of ids, by bytes: invalid UTF-8 becomes U+FFFD. Ids without a token give no text. */
  decode(ids: ArrayLike<number>, options: DetokenizerOptions = {}): string {
    return decodeAll(this.#pieces, ids, options)
  }

  /** For ids that arrive one by one. */
  detokenizer(options: DetokenizerOptions = {}): Detokenizer {
    return new Detokenizer(this.#pieces, options)
  }

  /** The id of a token as the vocabulary writes it; undefined if it has no such token. */
  tokenToId(token: string): number | undefined {
    return this.#cutter.tokenToId(token)
  }

  /** The token as the vocabulary writes it ("Ġthe"), not as text. */
  idToToken(id: number): string | undefined {
    return this.#cutter.idToToken(id)
  }

  /** Whether the token controls the model and is not text: marked as special, or named in tokenizer_config.json. */
  isSpecial(id: number): boolean {
    return this.#special.has(id)
  }

  /** Splits a text at the special tokens that it spells: `['bye', 2]` for `bye</s>`. */
  splitAtSpecial(text: string): (string | number)[] {
    this.#specialTexts ??= new AddedTokenFinder(
      [...this.#special].map(id => [this.decode([id]), { ...PLAIN_TOKEN, id, content: '' }]),
    )
    return this.#specialTexts.split(text).map(section => (typeof section === 'number' ? section : section.text))
  }

  /** Ids of all special tokens; see `isSpecial`. */
  get specialIds(): number[] {
    return [...this.#special]
  }

  /** The bytes of a token inside a text; empty for ids without a token. Do not modify. */
  tokenBytes(id: number): Uint8Array {
    const piece = this.#pieces.piece(id)
    if (piece === undefined) return new Uint8Array(0)
    return piece.gap.length === 0 ? piece.later : Uint8Array.of(...piece.later, ...piece.gap)
  }

  /** Whether the files have a chat template. */
  get hasChatTemplate(): boolean {
    return this.#templates.names.length > 0
  }

  /** Names of the chat templates; the main one is 'default'. */
  get chatTemplateNames(): string[] {
    return this.#templates.names
  }

  /** The source of a chat template. */
  chatTemplate(name = 'default'): string | undefined {
    return this.#templates.source(name)
  }

  /** Renders a conversation as text by the chat template. Throws TemplateError. */
  applyChatTemplate(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): string {
    return this.#templates.render(messages, options)
  }

  /** The ids of a conversation. The template writes the special tokens itself, so none are added. */
  encodeChat(messages: readonly ChatMessage[], { parseSpecial = false, ...given }: EncodeChatOptions = {}): number[] {
    const options = { refusePrintedParts: true, ...given }
    // Rendering refuses a value that is not a list.
    if (parseSpecial || !Array.isArray(messages)) {
      return this.#cut(this.applyChatTemplate(messages, options), false, 'none')
    }
    const marked = this.#marks.mark(messages, (token, message) => isAnswer(message) && this.#isSought(token))
    const tools = Array.isArray(options.tools) ? { tools: this.#marks.mark(options.tools, () => false) } : {}
    const rendered = this.applyChatTemplate(marked as ChatMessage[], { ...options, ...tools })
    const { text, plain } = this.#marks.unmark(rendered)
    return this.#cut(text, false, plain.size > 0 ? plain : 'none')
  }

  /**
   * @internal A conversation that `arrange` writes for the template, after control tokens in its strings were marked: what it writes
   * itself counts.
   */
  arrangedChat({ messages, tools, arrange, variables, end = 'opening', now }: ArrangedChat): ArrangedText {
    const marked = this.#marks.mark(messages, (token, message) => isAnswer(message) && this.#isSought(token))
    const arranged = arrange(
      marked as ChatMessage[],
      this.#marks.mark(tools, () => false),
    )
    const rendered = this.applyChatTemplate(arranged.messages, {
      ...(end === 'opening' && { addGenerationPrompt: true }),
      ...(end === 'continued' && { continueFinalMessage: true }),
      ...(arranged.tools && { tools: arranged.tools }),
      ...(variables && { variables }),
      ...(now && { now }),
    })
    const { text, plain } = this.#marks.unmark(rendered)
    return {
      text,
      cut: (at, end) => {
        const inside = [...plain].filter(place => place >= at && place < end).map(place => place - at)
        return this.#cut(text.slice(at, end), false, inside.length > 0 ? new Set(inside) : 'none')
      },
    }
  }

  /** @internal The ids of such a conversation. `own`: ranges of its text that are given as ids. */
  encodeArranged({ own, ...chat }: ArrangedChat & { readonly own: OwnRanges }): number[] {
    const { text, cut } = this.arrangedChat(chat)
    const ids: number[] = []
    let at = 0
    const add = (more: readonly number[]) => {
      for (const id of more) ids.push(id)
    }
    for (const span of own(text)) {
      add(cut(at, span.at))
      add(span.ids)
      at = span.end
    }
    add(cut(at, text.length))
    return ids
  }

  /** @internal Texts of the tokens that are searched for before any other processing. */
  get addedTokenTexts(): readonly string[] {
    return this.#added
  }

  /** Whether a chat template searches for the token in messages. */
  #isSought(token: AddedToken): boolean {
    const known = this.#sought.get(token)
    if (known !== undefined) return known
    const sought = this.chatTemplateNames.some(name => looksFor(this.chatTemplate(name)!, token.content))
    this.#sought.set(token, sought)
    return sought
  }

  #cut(text: string, addSpecialTokens: boolean, plain: PlainControls): number[] {
    try {
      const ids = this.#cutter.cut(text, addSpecialTokens, plain)
      if (ids.includes(undefined)) throw new Error('it holds something that the vocabulary has no token for')
      return ids as number[]
    } catch (error) {
      throw new TokenizerError(`A text of ${text.length} characters cannot be encoded: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }

  #resolve(token: string | number | undefined): number | undefined {
    if (typeof token === 'string') return this.tokenToId(token)
    return token !== undefined && this.idToToken(token) !== undefined ? token : undefined
  }

  /**
   * The config decides first: DeepSeek's sets add_bos_token while its post-processor adds nothing. Then the post-processor.
   * If neither decides, a token that is both bos and eos separates texts, and a text begins after one.
   */
  #wantsBos(around: readonly string[], addBos: boolean | undefined): boolean {
    if (this.bosId === undefined) return false
    if (addBos !== undefined) return addBos
    return around.some(token => this.tokenToId(token) === this.bosId) || this.bosId === this.eosId
  }

  #templateTokens(config: TokenizerConfig): Record<string, unknown> {
    const tokens: Record<string, unknown> = {}
    for (const [role, token] of config.named) {
      const content = typeof token === 'string' ? token : this.idToToken(token)
      if (content !== undefined) tokens[`${role}_token`] = content
    }
    if (config.additional.length > 0) tokens.additional_special_tokens = config.additional
    return tokens
  }
}

/** In the model's own answers, a token at which the template splits them is meant as a token. */
function isAnswer(message: unknown): boolean {
  return isObject(message) && message.role === 'assistant'
}

const PLAIN_TOKEN = { special: true, control: true, singleWord: false, lstrip: false, rstrip: false, normalized: false }

function highestId(json: TokenizerJson): number {
  let highest = -1
  const { vocab } = json.model
  if (Array.isArray(vocab)) highest = vocab.length - 1
  else {
    const ids = vocab as Record<string, number>
    for (const token in ids) highest = Math.max(highest, ids[token]!)
  }
  for (const token of json.addedTokens) highest = Math.max(highest, token.id)
  return highest
}
