import type { CallFormat } from '../table/format.ts'
import type { BlockReader, BodyReader, CallSink, Verdict } from './body.ts'
import { isBlank } from './json-value.ts'
import { MarkFinder } from './mark-finder.ts'
import { ObjectBody } from './object-body.ts'
import { PairsBody } from './pairs-body.ts'
import { PythonBody } from './python-body.ts'
import { QuotedBody } from './quoted-body.ts'
import { SeparatedBody } from './separated-body.ts'

/** Longest text in front of the first call of a block. */
const MAX_LEAD = 64

/** Reads the calls of a message from the mark that announces them: one call, or all of a section. */
export class CallBlock implements BlockReader {
  readonly #format: CallFormat
  readonly #sink: CallSink
  readonly #marks: MarkFinder
  readonly #inSection: boolean
  #body: BodyReader | null
  /** A call has ended in this block. */
  #any = false
  #lead = 0
  /** After a damaged call: nothing counts up to the next mark. */
  #skips = false
  /** What was read since the last call: text again, if no other follows. */
  #between = ''

  /** `mark`: the text that began it; empty: the calls themselves are next. */
  constructor(format: CallFormat, mark: string, sink: CallSink) {
    this.#format = format
    this.#sink = sink
    const { section, begin, end } = format
    this.#inSection = section?.begin.includes(mark) ?? false
    this.#marks = new MarkFinder([begin, end, ...(section?.end ?? [])])
    this.#body = mark === begin || begin === '' ? this.#newBody() : null
  }

  push(c: string): Verdict {
    if (this.#body === null) return this.#outside(c)
    const verdict = this.#body.push(c)
    if (this.#any) this.#between += c
    switch (verdict) {
      case 'more':
        return 'more'
      case 'not':
        return this.#any ? 'before' : 'not'
      case 'done':
      case 'before':
      case 'damaged':
        this.#body = null
        this.#any = true
        this.#between = ''
        this.#skips = verdict === 'damaged' && this.#hasEnd
        return verdict === 'done' ? 'more' : this.#outside(c)
    }
  }

  /** False: no call has begun, and what was read is text. */
  finish(): boolean {
    const begun = this.#body?.finish() ?? false
    // What closes calls is no text, even if it is cut off.
    if (begun || this.#body === null) this.#between = ''
    return this.#any || begun
  }

  get #hasEnd(): boolean {
    return this.#format.end !== '' || (this.#format.section?.end.length ?? 0) > 0
  }

  get rest(): string {
    return this.#between
  }

  #newBody(): BodyReader {
    const { body } = this.#format
    switch (body.kind) {
      case 'object':
        return this.#inSection ? new EitherBody(this.#sink) : new ObjectBody(this.#sink)
      case 'separated':
        return new SeparatedBody(this.#sink, body.separator)
      case 'pairs':
        return new PairsBody(this.#sink, body, this.#format.end)
      case 'python':
        return new PythonBody(this.#sink)
      case 'quoted':
        return new QuotedBody(this.#sink, body.prefix, body.quote)
    }
  }

  /** In front of the first call, between two, or after the last. */
  #outside(c: string): Verdict {
    const { section, begin, end, body } = this.#format
    this.#between += c
    const found = this.#marks.push(c)
    for (const other of this.#skips ? '' : found.text) {
      if (isBlank(other) || (this.#any && '`}];,'.includes(other) && (begin === '' || other !== ';'))) {
        if (++this.#lead > MAX_LEAD && !this.#any) return 'not'
        continue
      }
      // Without marks of their own, calls follow one another.
      const opens = body.kind === 'python' ? /[\p{L}_]/u.test(other) : other === '{'
      if (this.#any && begin === '' && opens && this.#between.trimStart().length < MAX_LEAD) {
        this.#body = this.#newBody()
        const verdict = this.#body.push(other)
        return verdict === 'more' ? 'more' : 'before'
      }
      return this.#any ? 'before' : 'not'
    }
    if (found.mark === null) return 'more'
    this.#skips = false
    if (found.mark === begin) {
      this.#body = this.#newBody()
      return 'more'
    }
    if (!this.#any) return 'not'
    this.#between = ''
    return found.mark === end && section !== null ? 'more' : 'done'
  }
}

/** JSON, or a call as Python writes it (Llama, after its mark). */
class EitherBody implements BodyReader {
  readonly #sink: CallSink
  #body: BodyReader | null = null

  constructor(sink: CallSink) {
    this.#sink = sink
  }

  push(c: string): Verdict {
    if (this.#body === null) {
      if (isBlank(c)) return 'more'
      this.#body = c === '{' || c === '[' ? new ObjectBody(this.#sink) : new PythonBody(this.#sink)
    }
    return this.#body.push(c)
  }

  finish(): boolean {
    return this.#body?.finish() ?? false
  }
}
