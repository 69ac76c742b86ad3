import { BLANK } from './blanks.ts'
import { messageOf, TokenizerError } from './errors.ts'
import { libraryNormalizer } from './library.ts'
import { patternOf, replaceAll } from './pattern.ts'
import { precompiled } from './precompiled.ts'
import type { Component } from './tokenizer-json.ts'
import type { Work } from './work.ts'

/** Throws TokenizerError if the result or the work is too large. */
export type Normalizer = (text: string, work: Work) => string

/**
 * Compiles the `normalizer` of a tokenizer.json. Steps whose output or time a file could make unbounded (Replace, Prepend,
 * Strip) are implemented here with their work counted; the others, which are linear, use the library. `where` names file
 * and key in errors.
 */
export function compileNormalizer(part: Component, where: string): Normalizer {
  switch (part.type) {
    case 'Sequence': {
      const steps = (part.normalizers as Component[]).map(child => compileNormalizer(child, where))
      return (text, work) => steps.reduce((before, step) => step(before, work), text)
    }
    case 'Replace': {
      const pattern = patternOf(part.pattern, where)
      const content = typeof part.content === 'string' ? part.content : ''
      return (text, work) => replaceAll(text, pattern, content, work)
    }
    case 'Prepend': {
      const { prepend } = part
      if (typeof prepend !== 'string') throw new TokenizerError(`${where} has a Prepend without "prepend"`)
      return (text, work) => {
        work.checkLength(text.length + prepend.length)
        return prepend + text
      }
    }
    case 'Strip':
      return text => strip(text, part.strip_left === true, part.strip_right === true)
    case 'Precompiled':
      // The library does not read the map.
      return precompiled(typeof part.precompiled_charsmap === 'string' ? part.precompiled_charsmap : '', where)
    default:
      return byLibrary(part, where)
  }
}

/** NFKD makes up to 18 characters of one, so the result's length is checked too. */
function byLibrary(part: Component, where: string): Normalizer {
  let normalizer: ReturnType<typeof libraryNormalizer>
  try {
    normalizer = libraryNormalizer(part)
  } catch (error) {
    throw new TokenizerError(`${where} cannot be used: ${messageOf(error)}`, { cause: error })
  }
  return (text, work) => {
    work.spend(text.length * 8)
    const normalized = normalizer.normalize(text)
    work.checkLength(normalized.length)
    return normalized
  }
}

function strip(text: string, left: boolean, right: boolean): string {
  let from = 0
  let to = text.length
  if (left) while (from < to && BLANK.test(text[from]!)) from++
  if (right) while (to > from && BLANK.test(text[to - 1]!)) to--
  return text.slice(from, to)
}
