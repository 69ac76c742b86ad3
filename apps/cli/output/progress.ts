import { printable } from '../../../src/for-apps.ts'
import type { ProgressEvent, PromptProgress } from '../../../src/index.ts'
import * as format from './format.ts'

/** Work that ends sooner shows no progress. */
const DELAY_MS = 150
const REDRAW_MS = 60
const BAR = 20

/** Labels for work whose current file is of no interest. */
const LABELS: Readonly<Partial<Record<ProgressEvent['status'], string>>> = {
  load: 'Loading weights',
  write: 'Writing',
}

/** A progress line on a terminal's stderr while files are downloaded or read; nothing elsewhere. */
export class Progress {
  readonly #stream = process.stderr
  readonly #begun = performance.now()
  readonly #wanted: boolean
  #drawn = 0
  #file = ''
  #fileBegun = 0
  #fileFrom = 0
  #label = ''
  #labelBegun = 0
  #labelFrom = 0

  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.#wanted = this.#stream.isTTY === true && !env.CI && env.TERM !== 'dumb'
  }

  readonly update = (event: ProgressEvent): void => {
    const now = performance.now()
    if (event.file !== this.#file && event.status === 'download') {
      this.#file = event.file
      this.#fileBegun = now
      this.#fileFrom = event.loaded
    }
    if (!this.#wanted || event.status === 'ready' || now - this.#begun < DELAY_MS) return
    if (now - this.#drawn < REDRAW_MS) return
    this.#drawn = now
    this.#draw(this.#line(event, now))
  }

  /** Shows a text without a bar. */
  note(text: string): void {
    if (this.#wanted) this.#draw(text)
  }

  /** Work in equal units: `Measuring  ━━━───  35 %  7 of 20 windows  22 s left`. */
  pieces(label: string, done: number, total: number, unit: string, detail: string): void {
    const now = performance.now()
    if (label !== this.#label) {
      this.#label = label
      // The clock starts when the first unit is done: the time before was other work.
      this.#labelBegun = now
      this.#labelFrom = done
    }
    if (!this.#wanted) return
    const perPiece = (now - this.#labelBegun) / (done - this.#labelFrom)
    const left = done > this.#labelFrom ? [`${format.duration((total - done) * perPiece)} left`] : []
    this.#draw(this.#fitting([label, bar(done / total), `${done} of ${total} ${unit}`, detail, ...left]))
  }

  /** `Reading  ━━━───  62 %  2,540 of 4,096 tokens` */
  readonly reading = ({ tokens, total }: PromptProgress): void => {
    if (!this.#wanted || performance.now() - this.#begun < DELAY_MS) return
    const count = `${format.integer(tokens)} of ${format.integer(total)} tokens`
    this.#draw(this.#fitting(['Reading', bar(Math.min(1, tokens / total)), count]))
  }

  /** Clears the line. */
  stop(): void {
    if (this.#drawn > 0) this.#stream.write('\r\x1b[K')
    this.#drawn = 0
  }

  #draw(text: string): void {
    this.#drawn = performance.now()
    // A wrapped line could not be cleared.
    this.#stream.write(`\r\x1b[K${printable(text).slice(0, this.#width())}`)
  }

  #width(): number {
    return Math.max(20, (this.#stream.columns || 80) - 1)
  }

  #line({ status, file, loaded, total }: ProgressEvent, now: number): string {
    if (status === 'resolve' || total <= 0) return `Looking for ${file}`
    return this.#fitting([
      LABELS[status] ?? file,
      bar(Math.min(1, loaded / total)),
      `${format.bytes(loaded)} of ${format.bytes(total)}`,
      ...(status === 'download' ? this.#speed(loaded, total, now) : []),
    ])
  }

  /** Joins the parts that fit. The least important is last and is dropped first. */
  #fitting(parts: string[]): string {
    while (parts.length > 2 && parts.join('  ').length > this.#width()) parts.pop()
    return parts.join('  ')
  }

  #speed(loaded: number, total: number, now: number): string[] {
    const ms = now - this.#fileBegun
    const perMs = (loaded - this.#fileFrom) / ms
    if (ms < 500 || perMs <= 0) return []
    return [`${format.bytes(perMs * 1000)}/s`, `${format.duration((total - loaded) / perMs)} left`]
  }
}

function bar(share: number): string {
  const full = Math.round(share * BAR)
  return `${'━'.repeat(full)}${'─'.repeat(BAR - full)} ${`${Math.floor(share * 100)} %`.padStart(5)}`
}
