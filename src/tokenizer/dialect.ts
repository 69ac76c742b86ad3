import type { Component } from './tokenizer-json.ts'

/**
 * tokenizer.json is defined by the Rust library tokenizers. Where @huggingface/tokenizers reads one of its parts
 * differently (JavaScript's idea of blanks, digits and words; behaviours of Split that it ignores), the part is
 * rewritten here into one that both read alike. The library turns \s, \w, \A, \z and so on into Rust's meaning, so
 * most become a Split by expression. Found and checked by comparing ids with the Rust library on random texts.
 */
export function rewritePreTokenizer(part: Component | null): Component | null {
  if (part === null) return null
  switch (part.type) {
    case 'Sequence':
      return sequence(
        'pretokenizers',
        (part.pretokenizers as Component[]).map(child => rewritePreTokenizer(child)!),
      )
    case 'Split':
      return rewriteSplit(part)
    case 'ByteLevel':
      return rewriteByteLevel(part)
    case 'Metaspace':
      return rewriteMetaspace(part)
    case 'Digits':
      return split(part.individual_digits === true ? '\\p{N}' : '\\p{N}+')
    case 'Punctuation':
      return rewriteSplit({ ...split(PUNCTUATION), behavior: part.behavior ?? 'Isolated' })
    case 'Whitespace':
      return { ...split('\\w+|[^\\w\\s]+'), behavior: 'Removed', invert: true }
    case 'WhitespaceSplit':
      return BLANKS
    case 'BertPreTokenizer':
      return sequence('pretokenizers', [BLANKS, split(PUNCTUATION)])
    case 'FixedLength':
      return split(`[\\s\\S]{1,${String(part.length)}}`)
    default:
      return part
  }
}

export function rewriteNormalizer(part: Component | null): Component | null {
  if (part?.type === 'Sequence') {
    return sequence(
      'normalizers',
      (part.normalizers as Component[]).map(child => rewriteNormalizer(child)!),
    )
  }
  if (part?.type === 'Replace') return { ...part, content: String(part.content ?? '').replaceAll('$', '$$$$') }
  if (part?.type !== 'Strip') return part
  const remove = (blanks: string): Component => ({ type: 'Replace', pattern: { Regex: blanks }, content: '' })
  return sequence('normalizers', [
    ...(part.strip_left === true ? [remove('\\A\\s+')] : []),
    ...(part.strip_right === true ? [remove('\\s+\\z')] : []),
  ])
}

const sequence = (key: string, parts: Component[]): Component => ({ type: 'Sequence', [key]: parts })

const split = (expression: string): Component => ({
  type: 'Split',
  pattern: { Regex: expression },
  behavior: 'Isolated',
  invert: false,
})

const PUNCTUATION = '[\\p{P}!-/:-@\\[-`{-~]'
const BLANKS: Component = { ...split('\\s+'), behavior: 'Removed' }
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/**
 * The library knows two of the five behaviours, so the others become expressions that match the merged pieces; `gap`
 * is a character where no match begins. Inverted, the gaps are what is merged with their neighbours.
 */
function rewriteSplit(part: Component): Component {
  const pattern = part.pattern as { String?: string; Regex?: string }
  const match = pattern.String === undefined ? withoutGroups(pattern.Regex ?? '') : literal(pattern.String)
  const gap = `(?:(?!${match})[\\s\\S])`
  const behavior = String(part.behavior ?? 'Isolated').toLowerCase()
  const invert = part.invert === true
  if (behavior === 'removed') return { ...split(match), behavior: 'Removed', invert }
  if (behavior === 'contiguous') return split(`(?:${match})+`)
  if (behavior === 'mergedwithprevious') return split(invert ? `${match}${gap}*|${gap}+` : `${gap}*${match}|${gap}+`)
  if (behavior === 'mergedwithnext') return split(invert ? `${gap}*${match}|${gap}+` : `${match}${gap}*|${gap}+`)
  return split(match)
}

/** JavaScript's split returns captured groups as pieces; here no group is referred to. */
function withoutGroups(expression: string): string {
  const named = expression.replace(/\(\?<([A-Za-z_]\w*)>/g, '(?:')
  return `(?:${named.replace(/\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\((?!\?)/g, part => (part === '(' ? '(?:' : part))})`
}

function rewriteByteLevel(part: Component): Component {
  if (part.use_regex === false) return part
  // The library leaves $& to JavaScript, which puts the match there.
  const prefix: Component = { type: 'Replace', pattern: { Regex: '\\A[^ ]' }, content: ' $&' }
  return sequence('pretokenizers', [
    ...(part.add_prefix_space === true ? [prefix] : []),
    split(GPT2),
    { ...part, use_regex: false, add_prefix_space: false },
  ])
}

function rewriteMetaspace(part: Component): Component {
  const replacement = typeof part.replacement === 'string' ? part.replacement : '\u2581'
  const prepend_scheme = part.prepend_scheme ?? (part.add_prefix_space === false ? 'never' : 'always')
  const marked: Component = { ...part, replacement, str_rep: replacement, prepend_scheme }
  if (part.split === false) return marked
  const cut = { type: 'Split', pattern: { String: replacement }, behavior: 'MergedWithNext' }
  return sequence('pretokenizers', [marked, rewriteSplit(cut)])
}

function literal(text: string): string {
  return `(?:${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')})`
}
