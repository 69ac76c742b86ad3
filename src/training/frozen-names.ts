import { OptionError } from '../errors.ts'

/** Tensors that are not learned, by patterns of their names. */
export class FrozenNames {
  readonly #patterns: readonly { readonly text: string; readonly matches: (name: string) => boolean }[]
  readonly #met = new Set<string>()

  /** `*` stands for any text; a pattern without one is a part of a name. */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map(text => ({ text, matches: matcher(text) }))
  }

  has(name: string): boolean {
    const found = this.#patterns.filter(({ matches }) => matches(name))
    for (const { text } of found) this.#met.add(text)
    return found.length > 0
  }

  /** After all names were asked for. Throws OptionError for a pattern that none has, and where nothing is left to learn. */
  check(left: number): void {
    const unmet = this.#patterns.find(({ text }) => !this.#met.has(text))
    if (unmet) {
      throw new OptionError(
        `freeze has ${JSON.stringify(unmet.text)}, which no tensor is called; latentkit inspect shows their names`,
      )
    }
    if (left === 0) throw new OptionError('freeze names every tensor; nothing is left to learn')
  }
}

function matcher(pattern: string): (name: string) => boolean {
  const parts = pattern.split('*')
  if (parts.length === 1) return name => name.includes(pattern)
  const [first, last] = [parts[0] as string, parts.at(-1) as string]
  return name => {
    if (!name.startsWith(first)) return false
    let at = first.length
    for (const part of parts.slice(1, -1)) {
      const found = name.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return name.length >= at + last.length && name.endsWith(last)
  }
}
