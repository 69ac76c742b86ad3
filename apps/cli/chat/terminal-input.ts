/** Messages typed on a terminal: lines, pastes, history, Ctrl-C. */
import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { colours } from '../output/colour.ts'
import { Composer } from './composer.ts'
import type { ChatInput } from './input.ts'

const PASTE_ON = '\x1b[?2004h'
const PASTE_OFF = '\x1b[?2004l'

interface Key {
  readonly name?: string
}

/**
 * Messages from a person, with Node's line editor. It keeps reading while a message is answered, without echo, so that
 * Ctrl-C works and text typed ahead is used afterwards.
 */
export class TerminalInput implements ChatInput {
  onInterrupt = () => {}
  readonly #screen = new Screen()
  readonly #editor: Interface
  readonly #composer = new Composer()
  /** Messages typed while another was being answered. */
  readonly #ahead: string[] = []
  /** Lines of an unfinished paste, without the one being edited. */
  #pasted: string[] = []
  #pasting = false
  #waiting: ((message: string | null) => void) | null = null
  #leaving = false
  /** The next line is the answer to a question. */
  #confirming = false
  #closed = false
  readonly #interrupted = () => this.#interrupt()

  constructor(complete: (start: string) => readonly string[]) {
    const completer = (line: string): [string[], string] => [[...complete(line)], line]
    this.#editor = createInterface({
      input: process.stdin,
      output: this.#screen,
      terminal: true,
      historySize: 1000,
      removeHistoryDuplicates: true,
      completer,
    })
    process.stdin.on('keypress', (_: string | undefined, key: Key) => this.#key(key))
    this.#editor.on('line', line => this.#line(line))
    this.#editor.on('SIGINT', this.#interrupted)
    process.on('SIGINT', this.#interrupted)
    this.#editor.on('close', () => this.#ended())
    this.#screen.show(PASTE_ON)
  }

  read(): Promise<string | null> {
    const ahead = this.#ahead.shift()
    if (ahead !== undefined) {
      this.#screen.show(`${promptSign()}${ahead.replaceAll('\n', '\n… ')}\n`)
      return Promise.resolve(ahead)
    }
    if (this.#closed) return Promise.resolve(null)
    return new Promise(resolve => {
      this.#waiting = resolve
      this.#screen.muted = false
      this.#ask()
    })
  }

  /** What was typed ahead is no answer, and is dropped. */
  confirm(question: string): Promise<string | null> {
    if (this.#closed) return Promise.resolve(null)
    this.#ahead.length = 0
    this.#composer.clear()
    return new Promise(resolve => {
      this.#confirming = true
      this.#waiting = answer => {
        this.#confirming = false
        resolve(answer)
      }
      this.#editor.write(null, { ctrl: true, name: 'e' })
      this.#editor.write(null, { ctrl: true, name: 'u' })
      this.#screen.muted = false
      this.#screen.show('\n')
      this.#editor.setPrompt(question)
      this.#editor.prompt()
    })
  }

  close(): void {
    this.#editor.close()
  }

  #ask(): void {
    this.#editor.setPrompt(this.#composer.pending || this.#pasted.length > 0 ? '… ' : promptSign())
    // The line already contains the text typed ahead.
    this.#editor.prompt(true)
  }

  #key({ name }: Key): void {
    if (name === 'paste-start') this.#pasting = true
    if (name === 'paste-end') this.#pasting = false
  }

  #line(line: string): void {
    this.#leaving = false
    if (this.#confirming) {
      this.#deliver(line)
      return
    }
    if (this.#pasting) {
      this.#pasted.push(line)
      if (!this.#screen.muted) this.#ask()
      return
    }
    const pasted = this.#pasted.splice(0)
    const message =
      pasted.length > 0 ? this.#composer.addPasted([...pasted, line].join('\n')) : this.#composer.add(line)
    if (message === undefined) {
      if (!this.#screen.muted) this.#ask()
    } else this.#deliver(message)
  }

  #deliver(message: string | null): void {
    const waiting = this.#waiting
    if (waiting) {
      this.#waiting = null
      this.#screen.muted = true
      waiting(message)
    } else if (message !== null) this.#ahead.push(message)
  }

  #interrupt(): void {
    if (this.#confirming) {
      this.#screen.show('\n')
      this.#deliver('no')
      this.onInterrupt()
      return
    }
    if (!this.#waiting) {
      this.#ahead.length = 0
      this.onInterrupt()
      return
    }
    const begun = this.#editor.line !== '' || this.#composer.pending || this.#pasted.length > 0
    if (this.#leaving && !begun) {
      this.#editor.close()
      return
    }
    this.#leaving = !begun
    this.#composer.clear()
    this.#pasted = []
    const hint = begun ? '' : colours(process.stderr).dim('(Ctrl-C again, Ctrl-D or /exit leaves)\n')
    this.#screen.show(`\n${hint}`)
    this.#editor.write(null, { ctrl: true, name: 'e' })
    this.#editor.write(null, { ctrl: true, name: 'u' })
    this.#ask()
  }

  #ended(): void {
    if (this.#closed) return
    this.#closed = true
    process.off('SIGINT', this.#interrupted)
    this.#screen.muted = false
    this.#screen.show(`${PASTE_OFF}${this.#waiting ? '\n' : ''}`)
    this.#deliver(null)
  }
}

function promptSign(): string {
  return colours(process.stderr).cyan('> ')
}

/** The editor's output goes to stderr, since stdout is for answers. While muted, it is discarded. */
class Screen extends Writable {
  muted = false
  readonly #stream = process.stderr

  constructor() {
    super({ decodeStrings: false })
    this.#stream.on('resize', () => this.emit('resize'))
  }

  get columns(): number {
    return this.#stream.columns
  }

  get rows(): number {
    return this.#stream.rows
  }

  /** Even when muted. */
  show(text: string): void {
    this.#stream.write(text)
  }

  override _write(chunk: string | Buffer, _: BufferEncoding, done: () => void): void {
    if (!this.muted) this.#stream.write(chunk)
    done()
  }
}
