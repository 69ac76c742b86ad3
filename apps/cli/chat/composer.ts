/** Joins lines to messages: a backslash at the end continues the line, `"""` begins a block that the next `"""` ends. */
export class Composer {
  #lines: string[] = []
  #inBlock = false

  /** Adds a line; returns the message that it completes, else undefined. */
  add(line: string): string | undefined {
    if (this.#inBlock) return this.#block(line)
    if (this.#lines.length === 0 && line.trimStart().startsWith('"""')) {
      this.#inBlock = true
      return this.#block(line.trimStart().slice(3), true)
    }
    const continued = /(^|[^\\])(\\\\)*\\$/.test(line)
    this.#lines.push(continued ? line.slice(0, -1) : line)
    return continued ? undefined : this.#take()
  }

  /** Adds pasted lines unchanged: a backslash in pasted code does not continue a line. */
  addPasted(text: string): string {
    this.#lines.push(text)
    return this.#take()
  }

  /** Whether a message has begun. */
  get pending(): boolean {
    return this.#lines.length > 0 || this.#inBlock
  }

  /** At the end of input: the unfinished message, if any. */
  rest(): string | undefined {
    return this.#lines.length > 0 ? this.#take() : undefined
  }

  clear(): void {
    this.#lines = []
    this.#inBlock = false
  }

  #block(line: string, first = false): string | undefined {
    const closes = line.trimEnd().endsWith('"""')
    const text = closes ? line.trimEnd().slice(0, -3) : line
    // A line with only the quotes is not part of the text.
    if (text !== '' || !(first || closes)) this.#lines.push(text)
    return closes ? this.#take() : undefined
  }

  #take(): string {
    const message = this.#lines.join('\n')
    this.clear()
    return message
  }
}
