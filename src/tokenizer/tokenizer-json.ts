import type { AddedToken } from './added-tokens.ts'
import { describe, TokenizerError } from './errors.ts'
import { MAX_EXPRESSION } from './work.ts'

/** A component of the pipeline: its `type`, and its settings in the other keys. */
export interface Component {
  readonly type: string
  readonly [key: string]: unknown
}

export interface TokenizerJson {
  readonly model: Component
  readonly addedTokens: readonly AddedToken[]
  readonly normalizer: Component | null
  readonly preTokenizer: Component | null
  readonly postProcessor: Component | null
  readonly decoder: Component | null
}

/** Larger than any published vocabulary; larger ids would only waste memory. */
const MAX_ID = 1 << 24
const MAX_DEPTH = 32
/** Limit for the components of a pipeline, and for tokens around a text. Published ones have up to 60 and 5. */
const MAX_PARTS = 128
const MAX_AROUND = 64
/** Characters of all expressions together. Published ones have up to 3,000. */
const MAX_EXPRESSIONS = 1 << 16
/** Many vocabularies do not call their markers of turns, tools and code special: <|fim_prefix|>, <｜User｜>, <unused7>. */
const LOOKS_LIKE_CONTROL = /^<[|\uff5c].*[|\uff5c]>$|^<unused\d+>$/su

/**
 * Checks the types in a parsed tokenizer.json, so that later code can trust them: the library does not check its input.
 * `file` names it in errors.
 */
export function readTokenizerJson(raw: unknown, file: string): TokenizerJson {
  if (!isObject(raw)) throw new TokenizerError(`${file} is ${describe(raw)}; expected a JSON object`)
  const check = new Checker(file)
  const model = check.model(raw.model)
  return {
    model,
    addedTokens: check.addedTokens(raw.added_tokens),
    normalizer: check.component(raw.normalizer, 'normalizer', 'normalizers'),
    preTokenizer: check.component(raw.pre_tokenizer, 'pre_tokenizer', 'pretokenizers'),
    postProcessor: check.component(raw.post_processor, 'post_processor', 'processors'),
    decoder: check.component(raw.decoder, 'decoder', 'decoders'),
  }
}

class Checker {
  readonly #file: string
  #expressions = 0

  constructor(file: string) {
    this.#file = file
  }

  fail(key: string, met: unknown, expected: string): never {
    throw new TokenizerError(`${this.#file}: "${key}" is ${describe(met)}; expected ${expected}`)
  }

  model(raw: unknown): Component {
    if (!isObject(raw)) this.fail('model', raw, 'an object with a vocabulary')
    // Early files have no type: infer it from the other keys.
    const type = raw.type ?? (Array.isArray(raw.vocab) ? 'Unigram' : 'merges' in raw ? 'BPE' : 'WordPiece')
    if (type !== 'BPE' && type !== 'Unigram' && type !== 'WordPiece') {
      this.fail('model.type', raw.type, '"BPE", "Unigram" or "WordPiece"')
    }
    if (type === 'Unigram') this.#unigram(raw)
    else this.#vocabulary(raw.vocab)
    if (type === 'BPE') this.#bpe(raw)
    return { ...raw, type }
  }

  #vocabulary(raw: unknown): void {
    if (!isObject(raw)) this.fail('model.vocab', raw, 'an object from token to id')
    for (const token in raw) {
      if (!isId(raw[token])) this.fail(`model.vocab.${token}`, raw[token], ID)
    }
  }

  #bpe(raw: Record<string, unknown>): void {
    const { merges } = raw
    if (!Array.isArray(merges)) this.fail('model.merges', merges, 'a list of pairs')
    const asPairs = Array.isArray(merges[0])
    for (let i = 0; i < merges.length; i++) {
      const merge: unknown = merges[i]
      const good = asPairs
        ? Array.isArray(merge) && merge.length === 2 && typeof merge[0] === 'string' && typeof merge[1] === 'string'
        : typeof merge === 'string' && merge.includes(' ')
      if (!good) this.fail(`model.merges[${i}]`, merge, asPairs ? 'a pair of strings' : 'two tokens and a space')
    }
    const prefix = raw.continuing_subword_prefix
    if (typeof prefix === 'string' && prefix !== '') {
      this.fail('model.continuing_subword_prefix', prefix, 'none: latentkit merges without one')
    }
  }

  #unigram(raw: Record<string, unknown>): void {
    const { vocab } = raw
    if (!Array.isArray(vocab) || vocab.length === 0) this.fail('model.vocab', vocab, 'a list of [token, score]')
    for (let i = 0; i < vocab.length; i++) {
      const entry: unknown = vocab[i]
      if (!Array.isArray(entry) || typeof entry[0] !== 'string' || typeof entry[1] !== 'number') {
        this.fail(`model.vocab[${i}]`, entry, 'a list of a token and its score')
      }
    }
    const { pieces } = raw
    const isPiece = (piece: unknown) =>
      Array.isArray(piece) && typeof piece[0] === 'string' && typeof piece[1] === 'number' && isId(piece[2])
    if (pieces !== undefined && !(Array.isArray(pieces) && pieces.length > 0 && pieces.every(isPiece))) {
      this.fail('model.pieces', pieces, 'a list of texts, scores and ids')
    }
    if (!isId(raw.unk_id) || raw.unk_id >= vocab.length) {
      this.fail('model.unk_id', raw.unk_id, `the id of the unknown token, below ${vocab.length}`)
    }
  }

  addedTokens(raw: unknown): AddedToken[] {
    if (raw === undefined || raw === null) return []
    if (!Array.isArray(raw)) this.fail('added_tokens', raw, 'a list')
    return raw.map((token: unknown, i) => {
      const key = `added_tokens[${i}]`
      if (!isObject(token)) this.fail(key, token, 'an object with an id and its content')
      if (!isId(token.id)) this.fail(`${key}.id`, token.id, ID)
      if (typeof token.content !== 'string' || token.content === '') {
        this.fail(`${key}.content`, token.content, 'a string that is not empty')
      }
      const special = token.special === true
      return {
        id: token.id,
        content: token.content,
        special,
        control: special || LOOKS_LIKE_CONTROL.test(token.content),
        singleWord: token.single_word === true,
        ...(token.only_first === true && { onlyFirst: true }),
        lstrip: token.lstrip === true,
        rstrip: token.rstrip === true,
        normalized: typeof token.normalized === 'boolean' ? token.normalized : !special,
      }
    })
  }

  component(raw: unknown, key: string, listKey: string, depth = 0): Component | null {
    if (raw === undefined || raw === null) return null
    if (!isObject(raw)) this.fail(key, raw, 'an object or null')
    const { type } = raw
    if (typeof type !== 'string') this.fail(`${key}.type`, type, 'a string')
    if (depth > MAX_DEPTH) this.fail(key, raw, `at most ${MAX_DEPTH} sequences inside one another`)
    if (type === 'Sequence') {
      const list = raw[listKey]
      if (!Array.isArray(list)) this.fail(`${key}.${listKey}`, list, 'a list')
      if (list.length > MAX_PARTS) this.fail(`${key}.${listKey}`, `a list of ${list.length}`, `at most ${MAX_PARTS}`)
      const parts = list.map((child: unknown, i) => {
        const childKey = `${key}.${listKey}[${i}]`
        return this.component(child, childKey, listKey, depth + 1) ?? this.fail(childKey, child, 'an object')
      })
      return { ...raw, type, [listKey]: parts }
    }
    this.#settings(raw, type, key)
    return { ...raw, type }
  }

  /** Checks the settings that the library does not check. */
  #settings(raw: Record<string, unknown>, type: string, key: string): void {
    const string = (name: string) => {
      if (raw[name] !== undefined && typeof raw[name] !== 'string') this.fail(`${key}.${name}`, raw[name], 'a string')
    }
    if (type === 'Split' || type === 'Replace') {
      const { pattern } = raw
      const source = isObject(pattern) ? (pattern.String ?? pattern.Regex) : undefined
      if (typeof source !== 'string') this.fail(`${key}.pattern`, pattern, '{"String": …} or {"Regex": …}')
      // An expression that is too large by itself is reported where it is compiled.
      if (isObject(pattern) && pattern.String === undefined) {
        this.#expressions += Math.min(source.length, MAX_EXPRESSION)
      }
      if (this.#expressions > MAX_EXPRESSIONS) {
        this.fail(`${key}.pattern`, pattern, `at most ${MAX_EXPRESSIONS} characters of regular expressions in one file`)
      }
    }
    for (const name of ['content', 'behavior', 'replacement', 'prepend', 'prefix', 'suffix', 'str_rep']) string(name)
    if (type === 'FixedLength' && (!isId(raw.length) || raw.length === 0)) {
      this.fail(`${key}.length`, raw.length, 'a whole number above 0')
    }
    if (type === 'TemplateProcessing') this.#template(raw.single, `${key}.single`)
    if (type === 'BertProcessing' || type === 'RobertaProcessing') {
      for (const name of ['cls', 'sep']) {
        const pair = raw[name]
        if (!Array.isArray(pair) || typeof pair[0] !== 'string') {
          this.fail(`${key}.${name}`, pair, 'a list of a token and its id')
        }
      }
    }
  }

  #template(raw: unknown, key: string): void {
    if (!Array.isArray(raw)) this.fail(key, raw, 'a list')
    if (raw.length > MAX_AROUND) this.fail(key, `a list of ${raw.length}`, `at most ${MAX_AROUND} parts`)
    if (raw.filter((item: unknown) => isObject(item) && 'Sequence' in item).length > 1) {
      this.fail(key, raw, 'the text once, with tokens around it')
    }
    for (let i = 0; i < raw.length; i++) {
      const item: unknown = raw[i]
      const part = isObject(item) ? (item.SpecialToken ?? item.Sequence) : undefined
      if (!isObject(part) || typeof part.id !== 'string') {
        this.fail(`${key}[${i}]`, item, '{"SpecialToken": {"id": …}} or {"Sequence": {"id": "A"}}')
      }
    }
  }
}

const ID = `a whole number from 0 to ${MAX_ID - 1}`

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < MAX_ID
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The special tokens that a post-processor may put around a text. */
export function specialTokensOf(part: Component | null): string[] {
  switch (part?.type) {
    case 'Sequence':
      return (part.processors as Component[]).flatMap(specialTokensOf)
    case 'TemplateProcessing':
      return (part.single as Record<string, { id: string } | undefined>[]).flatMap(item => item.SpecialToken?.id ?? [])
    case 'BertProcessing':
    case 'RobertaProcessing':
      return [(part.cls as [string])[0], (part.sep as [string])[0]]
    default:
      return []
  }
}
