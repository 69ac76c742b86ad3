/** What a character completed: text that is certainly none of the marks, then a mark; null: none. */
export interface Found {
  readonly text: string
  readonly mark: string | null
}

const NOTHING: Found = { text: '', mark: null }

/** Finds marks in a text that comes in parts: keeps back the longest end of it that may become one. No mark begins another. */
export class MarkFinder {
  readonly #marks: readonly string[]
  readonly #first: ReadonlySet<string>
  #held = ''

  constructor(marks: readonly string[]) {
    this.#marks = marks.filter(mark => mark !== '')
    this.#first = new Set(this.#marks.map(mark => mark[0] as string))
  }

  push(c: string): Found {
    if (this.#held === '' && !this.#first.has(c)) return { text: c, mark: null }
    let held = this.#held + c
    let text = ''
    while (held !== '') {
      const mark = this.#marks.find(mark => mark.startsWith(held))
      if (mark === held) {
        this.#held = ''
        return { text, mark }
      }
      if (mark !== undefined) break
      text += held[0]
      held = held.slice(1)
    }
    this.#held = held
    return text === '' ? NOTHING : { text, mark: null }
  }

  /** The text has ended: what was kept back is no mark. */
  flush(): string {
    const held = this.#held
    this.#held = ''
    return held
  }
}
