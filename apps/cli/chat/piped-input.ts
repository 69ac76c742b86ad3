import { createInterface, type Interface } from 'node:readline'
import { MAX_BYTES, tooLong } from '../text-input.ts'
import { Composer } from './composer.ts'
import type { ChatInput } from './input.ts'

/** Messages from a pipe or a file: one per line, or several lines by the composer's rules. Shows no prompt, echoes nothing. */
export class PipedInput implements ChatInput {
  onInterrupt = () => {}
  readonly #composer = new Composer()
  readonly #reader: Interface
  readonly #lines: AsyncIterator<string>
  readonly #interrupted = () => this.onInterrupt()

  /** A line exceeded the limit. */
  #endless = false

  constructor(input: NodeJS.ReadableStream) {
    let line = 0
    input.on('data', (part: Buffer) => {
      const end = part.lastIndexOf(0x0a)
      line = end < 0 ? line + part.length : part.length - end - 1
      if (line <= MAX_BYTES) return
      this.#endless = true
      this.#reader.close()
    })
    this.#reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
    this.#lines = this.#reader[Symbol.asyncIterator]()
    process.on('SIGINT', this.#interrupted)
  }

  async read(): Promise<string | null> {
    for (;;) {
      const { value, done } = await this.#lines.next()
      if (this.#endless) tooLong('a line of standard input')
      if (done) return this.#composer.rest() ?? null
      const message = this.#composer.add(value)
      if (message !== undefined) return message
    }
  }

  async confirm(): Promise<null> {
    return null
  }

  close(): void {
    process.off('SIGINT', this.#interrupted)
    this.#reader.close()
  }
}
