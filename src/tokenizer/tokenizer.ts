import { OptionError } from '../errors.ts'
import { type ChatMessage, type ChatTemplateOptions, ChatTemplates } from './chat-template.ts'
import { Detokenizer, type DetokenizerOptions, decodeAll, type PieceSource } from './detokenizer.ts'
import { describe, messageOf, TokenizerError } from './errors.ts'
import { TextCutter } from './text-cutter.ts'
import { compileDecoder, type TextStrip, type TokenDecoder, type TokenPiece } from './token-decoder.ts'
import { readTokenizerConfig, type TokenizerConfig } from './tokenizer-config.ts'
import { readTokenizerJson, specialTokensOf, type TokenizerJson } from './tokenizer-json.ts'

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
  /** Special tokens written out in the text become these tokens; false: they are cut like any text. Default true. */
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
  /** Filled as ids are met: a vocabulary is large, a text uses little of it. */
  readonly #pieces = new Map<number, TokenPiece>()

  constructor(json: TokenizerJson, config: TokenizerConfig, file: string) {
    const eos = config.named.get('eos')
    this.#cutter = new TextCutter(json, typeof eos === 'string' ? eos : undefined, file)
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
  encode(text: string, options: EncodeOptions = {}): number[] {
    if (typeof text !== 'string') throw new OptionError(`text is ${describe(text)}; expected a string`)
    const ids = this.#cut(text, options)
    for (const id of ids) {
      if (id === undefined) throw new TokenizerError('The text holds something that the vocabulary has no token for')
    }
    return ids as number[]
  }

  /**
   * The ids of a text that stands alone, for the model to go on with: exactly one beginning-of-text token where the
   * model wants one, never two. `bos` overrides what the files say.
   */
  encodePrompt(text: string, options: { readonly bos?: boolean } = {}): number[] {
    const ids = this.encode(text, { addSpecialTokens: false })
    const wanted = options.bos ?? this.startsWithBos
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
  encodeChat(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): number[] {
    return this.encode(this.applyChatTemplate(messages, options), { addSpecialTokens: false })
  }

  #cut(text: string, { addSpecialTokens = true, parseSpecial = true }: EncodeOptions): (number | undefined)[] {
    try {
      return this.#cutter.cut(text, addSpecialTokens, parseSpecial)
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
