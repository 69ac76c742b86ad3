import { bytesOfText } from '../byte-text.ts'
import { byteLevelBytes } from './byte-level.ts'
import { describe, TokenizerError } from './errors.ts'
import { type Pattern, patternOf, replaceAll } from './pattern.ts'
import type { Component } from './tokenizer-json.ts'
import { Work } from './work.ts'

/** The bytes that one token contributes to a text. */
export interface TokenPiece {
  /** As the first token of a text: SentencePiece's decoders drop the space that encoding added. */
  readonly first: Uint8Array
  /** Anywhere else; the same array as `first` if equal. */
  readonly later: Uint8Array
  /** Written only when another token follows: the space of an end-of-word mark. */
  readonly gap: Uint8Array
}

/** Removed from the joined text: up to `start` times `content` at its start, up to `stop` times at its end. */
export interface TextStrip {
  readonly content: string
  readonly start: number
  readonly stop: number
}

export interface TokenDecoder {
  piece(token: string, added: boolean): TokenPiece
  readonly strip: TextStrip | undefined
}

/** A token between the steps of a decoder: strings, until a step determines the bytes. */
interface Draft {
  first: string
  later: string
  gap: string
  bytes: Uint8Array | undefined
}

type Step = (draft: Draft, added: boolean, work: Work) => void
type Fail = (what: string) => TokenizerError

const EMPTY = new Uint8Array(0)
const utf8 = new TextEncoder()
/** UTF-16 units that a token may grow by, besides a multiple of its length. */
const FREE = 256
/** Most repetitions that a Strip removes; published ones remove one. */
const MAX_STRIPPED = 64

/**
 * Compiles the `decoder` of a tokenizer.json into a rule per token, so that text can be streamed: a token's bytes depend
 * only on whether it is the first and whether another follows. Decoders that need more context are refused. Without a
 * decoder, tokens are joined by spaces.
 */
export function compileDecoder(spec: Component | null, file: string): TokenDecoder {
  const steps: Step[] = []
  let strip: TextStrip | undefined
  let fused = false
  const fail: Fail = what => new TokenizerError(`${file}: "decoder" ${what}`)

  const add = (part: Component) => {
    if (part.type === 'Sequence') {
      for (const child of part.decoders as Component[]) add(child)
      return
    }
    if (part.type === 'Fuse') {
      fused = true
      return
    }
    if (fused) {
      if (part.type !== 'Strip' || strip !== undefined) {
        throw fail(`applies ${part.type} to the whole text; expected at most one Strip after Fuse`)
      }
      strip = readStrip(part, fail)
      return
    }
    const step = makeStep(part, fail, `${file}: "decoder"`)
    if (step === undefined) throw fail(`has the type ${describe(part.type)}; expected ${SUPPORTED}`)
    steps.push(step)
    if (part.type === 'ByteLevel') fused = true
  }
  if (spec === null) steps.push(spaceBetween)
  else add(spec)

  // Each token is decoded once: together they are a text as long as the vocabulary.
  const all = new Work(0)
  return {
    strip,
    piece(token, added) {
      const draft: Draft = { first: token, later: token, gap: '', bytes: undefined }
      const work = new Work(token.length, FREE, all)
      for (const step of steps) {
        step(draft, added, work)
        work.checkLength(Math.max(draft.first.length, draft.later.length))
      }
      const later = draft.bytes ?? bytesOfText(draft.later)
      const first = draft.bytes ?? (draft.first === draft.later ? later : bytesOfText(draft.first))
      return { first, later, gap: draft.gap === '' ? EMPTY : utf8.encode(draft.gap) }
    },
  }
}

const SUPPORTED = 'ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace, WordPiece, BPEDecoder or Sequence'

function makeStep(part: Component, fail: Fail, where: string): Step | undefined {
  switch (part.type) {
    case 'ByteLevel':
      return byteLevel
    case 'ByteFallback':
      return byteFallback
    case 'Replace':
      return replace(part, where)
    case 'Strip': {
      const rule = readStrip(part, fail)
      return map(text => stripText(text, rule))
    }
    case 'Metaspace':
      return metaspace(part)
    case 'WordPiece':
      return wordPiece(part)
    case 'BPEDecoder':
      return endOfWord(text(part.suffix, '</w>'))
    default:
      return undefined
  }
}

const map =
  (change: (text: string, work: Work) => string): Step =>
  (draft, _, work) => {
    if (draft.bytes !== undefined) return
    draft.first = change(draft.first, work)
    draft.later = change(draft.later, work)
  }

/** Added tokens are plain text: an added "é" is the letter, not the byte 0xE9 of the byte-level alphabet. */
const byteLevel: Step = (draft, added) => {
  if (!added) draft.bytes ??= byteLevelBytes(draft.later)
}

const byteFallback: Step = draft => {
  const hex = /^<0x([0-9A-Fa-f]{2})>$/.exec(draft.later)?.[1]
  if (hex !== undefined) draft.bytes = Uint8Array.of(Number.parseInt(hex, 16))
}

const spaceBetween: Step = draft => {
  draft.later = ` ${draft.later}`
}

function replace(part: Component, where: string): Step {
  const pattern = patternOf(part.pattern, where)
  const content = text(part.content, '')
  return map((value, work) => replaceAll(value, pattern, content, work))
}

const literal = (value: string): Pattern => patternOf({ String: value }, '')

/** The mark is a space; in the first token it is the space that encoding added, so it is dropped. */
function metaspace(part: Component): Step {
  const mark = literal(text(part.replacement, '\u2581'))
  const prepended =
    part.prepend_scheme === undefined ? part.add_prefix_space !== false : part.prepend_scheme !== 'never'
  return (draft, _, work) => {
    if (draft.bytes !== undefined) return
    draft.first = replaceAll(draft.first, mark, prepended ? '' : ' ', work)
    draft.later = replaceAll(draft.later, mark, ' ', work)
  }
}

function wordPiece(part: Component): Step {
  const prefix = text(part.prefix, '##')
  const tidy = part.cleanup === false ? (value: string) => value : cleanUp
  return draft => {
    const { later } = draft
    const continues = prefix !== '' && later.startsWith(prefix)
    draft.later = tidy(continues ? later.slice(prefix.length) : ` ${later}`)
    draft.first = tidy(draft.first)
  }
}

function endOfWord(mark: string): Step {
  if (mark === '') return () => {}
  const inside = literal(mark)
  return (draft, _, work) => {
    if (draft.later.endsWith(mark)) {
      draft.gap = ' '
      draft.later = draft.later.slice(0, -mark.length)
    }
    draft.later = replaceAll(draft.later, inside, ' ', work)
    draft.first = draft.later
  }
}

function readStrip(part: Component, fail: Fail): TextStrip {
  const count = (value: unknown) => {
    if (typeof value !== 'number' || !(value > 0)) return 0
    if (value > MAX_STRIPPED) throw fail(`strips ${value} times; latentkit takes at most ${MAX_STRIPPED}`)
    return value
  }
  return { content: text(part.content, ' '), start: count(part.start), stop: count(part.stop) }
}

export function stripText(value: string, { content, start, stop }: TextStrip): string {
  if (content === '') return value
  let from = 0
  for (let i = 0; i < start && value.startsWith(content, from); i++) from += content.length
  let to = value.length
  for (let i = 0; i < stop && to - content.length >= from && value.endsWith(content, to); i++) to -= content.length
  return value.slice(from, to)
}

/** The replacements of the tokenizers library's WordPiece decoder, in its order. */
function cleanUp(value: string): string {
  return value
    .replaceAll(' .', '.')
    .replaceAll(' ?', '?')
    .replaceAll(' !', '!')
    .replaceAll(' ,', ',')
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(' do not', " don't")
    .replaceAll(" 's", "'s")
    .replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re")
}

function text(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}
