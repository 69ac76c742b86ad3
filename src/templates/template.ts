import { Exceeded, Fault, Raised, TemplateError } from './errors.ts'
import { enterFrame, rootFrame } from './run/frame.ts'
import { templateGlobals } from './run/globals.ts'
import { Activation, Run } from './run/run.ts'
import { compileBody } from './run/statements.ts'
import { parse } from './syntax/parser.ts'
import { fromJs } from './values/from-js.ts'
import { TEMPLATE_BOUNDS, type TemplateBounds, Work } from './work.ts'

/** Longest source, in UTF-16 units. The longest published templates have about 40,000. */
const MAX_SOURCE = 1 << 18

export interface Rendered {
  readonly text: string
  /** Steps of work it took. */
  readonly steps: number
}

/** A chat template, parsed: a program in the language of Jinja 3.1, set up as transformers does. */
export class Template {
  readonly #run: (run: Run) => void

  /** Throws TemplateError for a source that Jinja rejects too. */
  constructor(source: string) {
    if (source.length > MAX_SOURCE) {
      throw new TemplateError(`the chat template has ${source.length} characters; expected at most ${MAX_SOURCE}`)
    }
    this.#run = guarded(undefined, () => {
      const body = parse(source)
      const frame = rootFrame()
      frame.symbols.visit(body)
      const exec = compileBody(body, frame)
      const enter = enterFrame(frame)
      return run => {
        const at = new Activation(frame.symbols.scope)
        enter(run, at)
        exec(run, at)
      }
    })
  }

  /**
   * Renders it. `variables` are values of JavaScript: plain data only. `now` is what `strftime_now` tells. Throws
   * TemplateError, with `raised` where the template itself refuses.
   */
  render(variables: Readonly<Record<string, unknown>>, now = new Date(), bounds?: TemplateBounds): Rendered {
    const values = templateGlobals(now)
    for (const [name, value] of Object.entries(variables)) {
      if (value !== undefined) values.set(name, fromJs(value, name))
    }
    const work = new Work(bounds ?? TEMPLATE_BOUNDS)
    const run = new Run(work, values)
    guarded(run, () => this.#run(run))
    return { text: run.out, steps: work.steps }
  }
}

/** Runs `work` and converts any error to a TemplateError that names the line. */
function guarded<T>(run: Run | undefined, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw explained(error, run?.line)
  }
}

function explained(error: unknown, line: number | undefined): unknown {
  if (error instanceof Raised) return new TemplateError(error.message, { raised: true })
  if (error instanceof Fault) {
    const where = error.line ?? line
    return new TemplateError(`${where === undefined ? '' : `line ${where}: `}${error.message}`)
  }
  if (error instanceof Exceeded) return new TemplateError(`the chat template ${error.message}`)
  // The bounds prevent this on a stack of Node's default size, but the caller may have used it up.
  if (error instanceof RangeError)
    return new TemplateError('the chat template nests too deeply for the stack that is left')
  return error
}
