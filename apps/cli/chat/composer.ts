/** Lines into messages: a backslash at the end goes on, `"""` opens a block that the next `"""` closes. */
export class Composer {
  #lines: string[] = []
  #inBlock = false

  /** The message that this line completes; undefined while there is more to come. */
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

  /** Pasted lines are taken as they are: backslashes in code are no wish to go on. */
  addPasted(text: string): string {
    this.#lines.push(text)
    return this.#take()
  }

  /** Something was begun. */
  get pending(): boolean {
    return this.#lines.length > 0 || this.#inBlock
  }

  /** What was begun, as a message: the input has ended. */
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
    // A line that holds only the quotes is not part of the text.
    if (text !== '' || !(first || closes)) this.#lines.push(text)
    return closes ? this.#take() : undefined
  }

  #take(): string {
    const message = this.#lines.join('\n')
    this.clear()
    return message
  }
}
