import { nearest } from '../../options/nearest.ts'
import { ANNOTATIONS, KEYWORDS } from './json-schema.ts'

const NAMES: readonly string[] = [...KEYWORDS, ...ANNOTATIONS]

/** The keyword that an unknown one probably means. Unknown keywords are notes by the standard, so short ones pass. */
export function misspelt(keyword: string): string | undefined {
  if (keyword.length < 7 || keyword.startsWith('x-')) return undefined
  const meant = nearest(keyword, NAMES)
  return meant === undefined || ANNOTATIONS.has(meant) || Math.abs(meant.length - keyword.length) > 2
    ? undefined
    : meant
}
