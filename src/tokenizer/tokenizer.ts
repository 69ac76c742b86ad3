import { OptionError } from '../errors.ts'
import { type AddedToken, AddedTokenFinder } from './added-tokens.ts'
import { type ChatMessage, type ChatTemplateOptions, ChatTemplates } from './chat-template.ts'
import { ControlMarks, looksFor } from './control-marks.ts'
import { Detokenizer, type DetokenizerOptions, decodeAll, type PieceSource } from './detokenizer.ts'
import { describe, messageOf, TokenizerError } from './errors.ts'
import { type PlainControls, TextCutter } from './text-cutter.ts'
import { compileDecoder, type TextStrip, type TokenDecoder, type TokenPiece } from './token-decoder.ts'
import { readTokenizerConfig, type TokenizerConfig } from './tokenizer-config.ts'
import { isObject, readTokenizerJson, specialTokensOf, type TokenizerJson } from './tokenizer-json.ts'

export interface TokenizerFiles {
  /** The parsed tokenizer.json. */
  readonly tokenizer: unknown
  /** The parsed tokenizer_config.json. Default: none, so no named tokens and no template. */
  readonly config?: unknown
  /** The text of chat_template.jinja; takes the place of the config's default template. */
  readonly chatTemplate?: string | undefined
  /** Put before the file names in errors, e.g. 'models/tales/'. Default ''. */
  readonly folder?: string
}

export interface EncodeOptions {
  /** Let tokenizer.json's post-processor add its tokens. Default true. */
  readonly addSpecialTokens?: boolean
  /**
   * Control tokens written out in the text (`<|im_end|>`) become these tokens; false: they are cut like any text. They are
   * the special tokens and those that look like them. Default true.
   */
  readonly parseSpecial?: boolean
}

export interface EncodeChatOptions extends ChatTemplateOptions {
  /**
   * Control tokens written out in messages become these tokens; false: they are cut like any text, so that nobody who
   * writes in a chat can end a turn or begin another. What the template itself writes always counts. Default false.
   */
  readonly parseSpecial?: boolean
}

/** Builds a tokenizer from what stands in a checkpoint's folder. Throws TokenizerError naming file and key. */
export function createTokenizer(files: TokenizerFiles): Tokenizer {
  const folder = files.folder ?? ''
  const file = `${folder}tokenizer.json`
  const json = readTokenizerJson(files.tokenizer, file)
  const config = readTokenizerConfig(files.config, `${folder}tokenizer_config.json`, files.chatTemplate)
  return new Tokenizer(json, config, file)
}

/**
 * Text to ids and back. Ids become text by their bytes, so that whole and streamed text agree. Added tokens that are
 * written out in a text ("<|im_end|>") become these tokens, as in every tokenizer of this format, unless
 * `parseSpecial` is false.
 */
export class Tokenizer implements PieceSource {
  /** The highest id + 1. A model's table may be longer. */
  readonly vocabSize: number
  readonly bosId: number | undefined
  readonly eosId: number | undefined
  readonly padId: number | undefined
  readonly unkId: number | undefined
  /** A text that stands alone begins with `bosId`; see `encodePrompt`. */
  readonly startsWithBos: boolean
  readonly strip: TextStrip | undefined
  readonly #cutter: TextCutter
  readonly #decoder: TokenDecoder
  readonly #special: ReadonlySet<number>
  readonly #templates: ChatTemplates
  readonly #marks: ControlMarks
  /** Special tokens as they read. Made when it is asked for. */
  #specialTexts: AddedTokenFinder | undefined
  readonly #sought = new Map<AddedToken, boolean>()
  /** Filled as ids are met: a vocabulary is large, a text uses little of it. */
  readonly #pieces = new Map<number, TokenPiece>()

  constructor(json: TokenizerJson, config: TokenizerConfig, file: string) {
    const steering = new Set<string | number>([...config.named.values(), ...config.additional])
    const addedTokens = json.addedTokens.map(token =>
      steering.has(token.content) || steering.has(token.id) ? { ...token, control: true } : token,
    )
    this.#marks = new ControlMarks(addedTokens)
    this.#cutter = new TextCutter({ ...json, addedTokens }, file)
    this.#decoder = compileDecoder(json.decoder, file)
    this.strip = this.#decoder.strip
    this.vocabSize = highestId(json) + 1

    const idOf = (role: string) => this.#resolve(config.named.get(role))
    this.bosId = idOf('bos')
    this.eosId = idOf('eos')
    this.padId = idOf('pad')
    this.unkId = idOf('unk')
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
   * The ids of a text, after tokenizer.json's own rules: its post-processor decides whether a beginning-of-text token
   * is added. Use `encodePrompt` for a prompt and `encodeChat` for a conversation.
   */
  encode(text: string, { addSpecialTokens = true, parseSpecial = true }: EncodeOptions = {}): number[] {
    if (typeof text !== 'string') throw new OptionError(`text is ${describe(text)}; expected a string`)
    return this.#cut(text, addSpecialTokens, parseSpecial ? 'none' : 'all')
  }

  /**
   * The ids of a text that stands alone, for the model to go on with: exactly one beginning-of-text token where the
   * model wants one, never two. `bos` overrides what the files say.
   */
  encodePrompt(text: string, options: { readonly bos?: boolean; readonly parseSpecial?: boolean } = {}): number[] {
    const { bos, ...how } = options
    const ids = this.encode(text, { ...how, addSpecialTokens: false })
    const wanted = bos ?? this.startsWithBos
    if (!wanted || this.bosId === undefined || ids[0] === this.bosId) return ids
    ids.unshift(this.bosId)
    return ids
  }

  /** The text of ids, by bytes: what is no UTF-8 becomes U+FFFD. Ids that no token has give nothing. */
  decode(ids: ArrayLike<number>, options: DetokenizerOptions = {}): string {
    return decodeAll(this, ids, options)
  }

  /** For ids that arrive one by one. */
  detokenizer(options: DetokenizerOptions = {}): Detokenizer {
    return new Detokenizer(this, options)
  }

  tokenToId(token: string): number | undefined {
    return this.#cutter.tokenToId(token)
  }

  /** The token as the vocabulary writes it ("Ġthe"), not as text. */
  idToToken(id: number): string | undefined {
    return this.#cutter.idToToken(id)
  }

  /** Special tokens steer the model and are not text: those marked so, and those tokenizer_config.json names. */
  isSpecial(id: number): boolean {
    return this.#special.has(id)
  }

  /** A text with the special tokens that it spells as ids: `['bye', 2]` for `bye</s>`. */
  splitAtSpecial(text: string): (string | number)[] {
    this.#specialTexts ??= new AddedTokenFinder(
      [...this.#special].map(id => [this.decode([id]), { ...PLAIN_TOKEN, id, content: '' }]),
    )
    return this.#specialTexts.split(text).map(section => (typeof section === 'number' ? section : section.text))
  }

  get specialIds(): number[] {
    return [...this.#special]
  }

  /** The bytes a token stands for inside a text; empty for ids that no token has. Do not write into it. */
  tokenBytes(id: number): Uint8Array {
    const piece = this.piece(id)
    if (piece === undefined) return new Uint8Array(0)
    return piece.gap.length === 0 ? piece.later : Uint8Array.of(...piece.later, ...piece.gap)
  }

  piece(id: number): TokenPiece | undefined {
    const known = this.#pieces.get(id)
    if (known !== undefined) return known
    const token = this.idToToken(id)
    if (token === undefined) return undefined
    const piece = this.#decoder.piece(token, this.#cutter.isAdded(id))
    this.#pieces.set(id, piece)
    return piece
  }

  get hasChatTemplate(): boolean {
    return this.#templates.names.length > 0
  }

  /** Names of the chat templates; the usual one is 'default'. */
  get chatTemplateNames(): string[] {
    return this.#templates.names
  }

  /** The source of a chat template. */
  chatTemplate(name = 'default'): string | undefined {
    return this.#templates.source(name)
  }

  /** A conversation as the text the model was trained on. Throws TemplateError. */
  applyChatTemplate(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): string {
    return this.#templates.render(messages, options)
  }

  /** The ids of a conversation. The template writes the special tokens itself, so none are added. */
  encodeChat(messages: readonly ChatMessage[], { parseSpecial = false, ...given }: EncodeChatOptions = {}): number[] {
    const options = { refusePrintedParts: true, ...given }
    // What is no list is refused by the template.
    if (parseSpecial || !Array.isArray(messages)) {
      return this.#cut(this.applyChatTemplate(messages, options), false, 'none')
    }
    const marked = this.#marks.mark(messages, (token, message) => isAnswer(message) && this.#isSought(token))
    const tools = Array.isArray(options.tools) ? { tools: this.#marks.mark(options.tools, () => false) } : {}
    const rendered = this.applyChatTemplate(marked as ChatMessage[], { ...options, ...tools })
    const { text, plain } = this.#marks.unmark(rendered)
    return this.#cut(text, false, plain.size > 0 ? plain : 'none')
  }

  /** Whether a chat template looks for the token in what was said. */
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
   * The config's word counts first: DeepSeek's says yes while its post-processor adds nothing. Then the post-processor.
   * Where neither speaks, a token that both ends and begins is a separator of texts, and a text starts behind one.
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

/** A model writes its answers itself: where a template takes them apart at a token, the token is meant. */
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
