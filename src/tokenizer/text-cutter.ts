import { Tokenizer as Library } from '@huggingface/tokenizers'
import { type AddedToken, AddedTokenFinder, type Occurrence, type Section } from './added-tokens.ts'
import { rewriteNormalizer, rewritePreTokenizer } from './dialect.ts'
import { messageOf, TokenizerError } from './errors.ts'
import type { TokenizerJson } from './tokenizer-json.ts'

/** The parts of @huggingface/tokenizers that are used; its declarations resolve to `any` under nodenext. */
interface Parts {
  readonly normalizer: { normalize(text: string): string } | null
  readonly pre_tokenizer: { pre_tokenize(text: string, options: { section_index: number }): string[] } | null
  readonly post_processor: {
    /** Puts tokens around what it is given, which it does not look into: ids will do. */
    post_process(ids: Id[], pair: null, addSpecialTokens: boolean): { tokens: (Id | string)[] }
  } | null
  /** Cuts pieces into tokens of the vocabulary. */
  readonly model: (pieces: string[]) => string[]
  token_to_id(token: string): number | undefined
  id_to_token(id: number): string | undefined
}

/** Undefined stands where the vocabulary has no token. */
type Id = number | undefined

/** Which control tokens that are written out in a text stay text: none, all, or those that begin at these places. */
export type PlainControls = 'none' | 'all' | ReadonlySet<number>

/**
 * Text to ids. Normalising, cutting into words and merging is the library's work; added tokens are found here, since
 * its way of finding them does not know words and blanks as Rust does.
 */
export class TextCutter {
  readonly #parts: Parts
  readonly #byId: ReadonlyMap<number, string>
  readonly #idOf: ReadonlyMap<string, number>
  readonly #unknown: Id
  readonly #inRaw: AddedTokenFinder
  readonly #inNormalized: AddedTokenFinder
  /** The control tokens of `#inNormalized` as they are written. */
  readonly #late: AddedTokenFinder

  /** `eosToken` is asked for by Unigram models. */
  constructor(json: TokenizerJson, eosToken: string | undefined, file: string) {
    try {
      this.#parts = new Library(
        {
          model: json.model,
          added_tokens: [],
          normalizer: rewriteNormalizer(json.normalizer),
          pre_tokenizer: rewritePreTokenizer(json.preTokenizer),
          post_processor: json.postProcessor,
          decoder: null,
        },
        eosToken === undefined ? {} : { eos_token: eosToken },
      ) as Parts
    } catch (error) {
      throw new TokenizerError(`${file} cannot be used: ${messageOf(error)}`, { cause: error })
    }
    const { unk_id, unk_token } = json.model
    this.#unknown = typeof unk_id === 'number' ? unk_id : this.#parts.token_to_id(String(unk_token))
    const added = json.addedTokens
    const { normalizer } = this.#parts
    const late = (token: AddedToken) => token.normalized && normalizer !== null
    const form = (token: AddedToken) => (late(token) ? normalizer!.normalize(token.content) : token.content)
    this.#byId = new Map(added.map(token => [token.id, form(token)]))
    this.#idOf = new Map(added.flatMap(token => [form(token), token.content].map(text => [text, token.id] as const)))
    this.#inRaw = new AddedTokenFinder(added.filter(token => !late(token)).map(token => [token.content, token]))
    this.#inNormalized = new AddedTokenFinder(added.filter(late).map(token => [form(token), token]))
    const controls = added.filter(token => late(token) && token.control)
    this.#late = new AddedTokenFinder(controls.map(token => [token.content, token]))
  }

  tokenToId(token: string): number | undefined {
    return this.#idOf.get(token) ?? this.#parts.token_to_id(token)
  }

  isAdded(id: number): boolean {
    return this.#byId.has(id)
  }

  /** An added token in the form it has in the normalised text: what it stands for there is what it is written as. */
  idToToken(id: number): string | undefined {
    return this.#byId.get(id) ?? this.#parts.id_to_token(id)
  }

  cut(text: string, addSpecialTokens: boolean, plain: PlainControls): Id[] {
    const ids: Id[] = []
    const sections = this.#inRaw.split(text, isPlain(plain))
    for (const [i, section] of sections.entries()) this.#cutSection(section, i === 0, plain, ids)
    const { post_processor } = this.#parts
    if (!addSpecialTokens || post_processor === null) return ids
    const { tokens } = post_processor.post_process(ids, null, true)
    return tokens.map(token => (typeof token === 'string' ? this.tokenToId(token) : token))
  }

  #cutSection(section: Section, first: boolean, plain: PlainControls, ids: Id[]): void {
    if (typeof section === 'number') {
      ids.push(section)
      return
    }
    const { normalizer, pre_tokenizer, model } = this.#parts
    const text = normalizer ? normalizer.normalize(section.text) : section.text
    const sections = this.#inNormalized.split(text, isPlain(this.#inNormalizedText(section, text, plain)))
    for (const [i, part] of sections.entries()) {
      if (typeof part === 'number') ids.push(part)
      else {
        const section_index = first && i === 0 ? 0 : 1
        const pieces = pre_tokenizer ? pre_tokenizer.pre_tokenize(part.text, { section_index }) : [part.text]
        // One by one: given all, the model fuses what is unknown across them.
        for (const piece of pieces) {
          for (const token of model([piece])) ids.push(this.#parts.token_to_id(token) ?? this.#unknown)
        }
      }
    }
  }

  /** Places of a text as those of its normalised form: control tokens keep their order. Where some were lost, none is one. */
  #inNormalizedText(section: Section & object, normalized: string, plain: PlainControls): PlainControls {
    if (typeof plain === 'string') return plain
    const written = this.#late.find(section.text).map(({ at }) => plain.has(section.at + at))
    if (!written.includes(true)) return 'none'
    const found = this.#inNormalized.find(normalized).filter(({ token }) => token.control)
    if (found.length !== written.length) return 'all'
    return new Set(found.filter((_, i) => written[i]).map(({ at }) => at))
  }
}

function isPlain(plain: PlainControls): (occurrence: Occurrence) => boolean {
  if (plain === 'none') return () => false
  return ({ at, token }) => token.control && (plain === 'all' || plain.has(at))
}
