import { LatentkitError, registerError } from '../errors.ts'

/** A chat template that is missing, broken, out of bounds, or that refuses the messages. */
export class TemplateError extends LatentkitError {
  /** The template itself called `raise_exception`; `message` is then its own sentence, line breaks and all. */
  readonly raised: boolean

  constructor(message: string, options?: ErrorOptions & { readonly raised?: boolean }) {
    super('bad_template', message, { ...options, lines: options?.raised ?? false })
    this.raised = options?.raised ?? false
  }
}
registerError('TemplateError', TemplateError)

/** The classes of Python's and Jinja's exceptions that matter to a template: some filters catch some of them. */
export type FaultKind =
  | 'TypeError'
  | 'ValueError'
  | 'KeyError'
  | 'IndexError'
  | 'AttributeError'
  | 'OverflowError'
  | 'ZeroDivisionError'
  | 'UndefinedError'
  | 'SecurityError'
  | 'AssertionError'
  | 'TemplateSyntaxError'
  | 'TemplateRuntimeError'
  | 'FilterArgumentError'

/** What Python would raise while a template is parsed or runs. */
export class Fault extends Error {
  readonly kind: FaultKind
  /** Line of the template; set where it is known, at the latest when the run ends. */
  line: number | undefined

  constructor(kind: FaultKind, message: string, line?: number) {
    super(message)
    this.kind = kind
    this.line = line
  }
}

/** The template called `raise_exception`. */
export class Raised extends Error {}

/** A bound was reached. Nothing inside a template catches it. */
export class Exceeded extends Error {}

export const typeError = (message: string): Fault => new Fault('TypeError', message)
export const valueError = (message: string): Fault => new Fault('ValueError', message)
