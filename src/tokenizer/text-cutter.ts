import { type AddedToken, AddedTokenFinder, type Occurrence, type Section } from './added-tokens.ts'
import { messageOf, TokenizerError } from './errors.ts'
import { libraryPostProcessor } from './library.ts'
import type { Id } from './models/cut.ts'
import { compileModel, type Model } from './models/model.ts'
import { compileNormalizer, type Normalizer } from './normalizers.ts'
import { compilePreTokenizer, type PreTokenizer } from './pre-tokenizers.ts'
import type { TokenizerJson } from './tokenizer-json.ts'
import { Work } from './work.ts'

/** Which control tokens written out in a text stay text: none, all, or those at these positions. */
export type PlainControls = 'none' | 'all' | ReadonlySet<number>

/** Converts text to ids, and limits the work that a tokenizer.json can cause. */
export class TextCutter {
  readonly #normalizer: Normalizer | null
  readonly #preTokenizer: PreTokenizer | null
  readonly #model: Model
  readonly #postProcessor: ReturnType<typeof libraryPostProcessor> | null
  readonly #byId: ReadonlyMap<number, string>
  readonly #idOf: ReadonlyMap<string, number>
  readonly #inRaw: AddedTokenFinder
  readonly #inNormalized: AddedTokenFinder
  /** The control tokens of `#inNormalized` in their written form. */
  readonly #late: AddedTokenFinder

  /** `file` names tokenizer.json in errors. Throws TokenizerError. */
  constructor(json: TokenizerJson, file: string) {
    const normalizer = json.normalizer && compileNormalizer(json.normalizer, `${file}: "normalizer"`)
    this.#normalizer = normalizer
    this.#preTokenizer = json.preTokenizer && compilePreTokenizer(json.preTokenizer, `${file}: "pre_tokenizer"`)
    try {
      this.#postProcessor = json.postProcessor && libraryPostProcessor(json.postProcessor)
      const controls = json.addedTokens.filter(({ control }) => control).map(({ id }) => id)
      this.#model = compileModel(json.model, new Set(controls))
    } catch (error) {
      throw new TokenizerError(`${file} cannot be used: ${messageOf(error)}`, { cause: error })
    }
    const added = json.addedTokens
    const late = (token: AddedToken) => token.normalized && normalizer !== null
    const units = added.reduce((sum, { content }) => sum + content.length, 0)
    const work = new Work(units)
    const forms = new Map(
      added.map(token => [token, late(token) ? normalizer!(token.content, work) : token.content] as const),
    )
    const form = (token: AddedToken) => forms.get(token)!
    this.#byId = new Map(added.map(token => [token.id, form(token)]))
    this.#idOf = new Map(added.flatMap(token => [form(token), token.content].map(text => [text, token.id] as const)))
    this.#inRaw = new AddedTokenFinder(added.filter(token => !late(token)).map(token => [token.content, token]))
    this.#inNormalized = new AddedTokenFinder(added.filter(late).map(token => [form(token), token]))
    const controls = added.filter(token => late(token) && token.control)
    this.#late = new AddedTokenFinder(controls.map(token => [token.content, token]))
  }

  tokenToId(token: string): number | undefined {
    return this.#idOf.get(token) ?? this.#model.vocabulary.idOf.get(token)
  }

  isAdded(id: number): boolean {
    return this.#byId.has(id)
  }

  /** A token as the vocabulary writes it; an added token in its original form, not its normalised one. */
  idToToken(id: number): string | undefined {
    return this.#byId.get(id) ?? this.#model.vocabulary.tokens[id]
  }

  /** Throws TokenizerError if the file causes too much work or text. */
  cut(text: string, addSpecialTokens: boolean, plain: PlainControls): Id[] {
    const ids: Id[] = []
    const work = new Work(text.length)
    const sections = this.#inRaw.split(text, isPlain(plain))
    for (const [i, section] of sections.entries()) this.#cutSection(section, i === 0, plain, ids, work)
    return addSpecialTokens ? this.around(ids, null).ids : ids
  }

  /** The tokens of one text or two with those that the post-processor adds, and which of the two texts each belongs to. */
  around(ids: readonly Id[], pair: readonly Id[] | null): { ids: Id[]; types: number[] } {
    if (this.#postProcessor === null) {
      const second = pair ?? []
      return { ids: [...ids, ...second], types: [...ids.map(() => 0), ...second.map(() => 1)] }
    }
    const { tokens, token_type_ids: types } = this.#postProcessor.post_process(ids, pair, true)
    return {
      ids: tokens.map(token => (typeof token === 'string' ? this.tokenToId(token) : token)),
      types: types ?? tokens.map(() => 0),
    }
  }

  #cutSection(section: Section, first: boolean, plain: PlainControls, ids: Id[], work: Work): void {
    if (typeof section === 'number') {
      ids.push(section)
      return
    }
    const text = this.#normalizer ? this.#normalizer(section.text, work) : section.text
    work.made(text.length)
    const sections = this.#inNormalized.split(text, isPlain(this.#inNormalizedText(section, text, plain)))
    for (const [i, part] of sections.entries()) {
      if (typeof part === 'number') ids.push(part)
      else {
        const pieces = this.#preTokenizer ? this.#preTokenizer([part.text], first && i === 0, work) : [part.text]
        for (const piece of pieces) {
          work.made(piece.length)
          this.#model.cut(piece, ids, work)
        }
      }
    }
  }

  /** Maps positions to the normalised text, by the order of control tokens. If normalising lost some, all stay text. */
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
