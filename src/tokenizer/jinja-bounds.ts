import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'
import { TemplateError } from './errors.ts'

/** A value of the template engine, as far as it is looked at here. */
interface Value {
  readonly type: string
  readonly value: unknown
}

/** The engine's declarations import without extensions, which nodenext resolves to `any`: these say what is used. */
interface Scope {
  readonly variables: Map<string, unknown>
  set(name: string, value: unknown): unknown
}
declare class BaseInterpreter {
  constructor(scope: Scope)
  run(program: unknown): Value
  evaluate(statement: unknown, scope: Scope): Value
}
const JinjaInterpreter = Interpreter as typeof BaseInterpreter

export interface TemplateBounds {
  /** Work: one per evaluated node, plus one per 256 characters and per item of what it gives. */
  readonly steps: number
  /** Longest text, in UTF-16 units. */
  readonly characters: number
  /** Most items in a list or mapping, those inside it included. */
  readonly items: number
}

/**
 * A chat template is a program that came with a checkpoint. These bounds lie two orders of magnitude above what
 * published templates need for a full context, and end a hostile one within seconds and a few hundred megabytes.
 */
export const TEMPLATE_BOUNDS: TemplateBounds = { steps: 10_000_000, characters: 1 << 24, items: 200_000 }

const MAX_SOURCE = 1 << 20

export type Program = { readonly parsed: unknown }

export function parseTemplate(source: string): Program {
  if (source.length > MAX_SOURCE) {
    throw new TemplateError(`the chat template has ${source.length} characters; expected at most ${MAX_SOURCE}`)
  }
  return { parsed: parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })) }
}

/** Runs a template with these variables. Errors of the engine come through as they are. */
export function runTemplate(program: Program, variables: Record<string, unknown>, bounds = TEMPLATE_BOUNDS): string {
  const scope = new Environment() as Scope
  for (const [name, value] of Object.entries(variables)) {
    scope.variables.delete(name)
    scope.set(name, value)
  }
  const text = new BoundedInterpreter(scope, bounds).run(program.parsed).value
  return typeof text === 'string' ? text : String(text)
}

class BoundedInterpreter extends JinjaInterpreter {
  readonly #bounds: TemplateBounds
  /** Items of lists and mappings that cannot change any more. */
  readonly #weights = new WeakMap<object, number>()
  #steps = 0

  constructor(scope: Scope, bounds: TemplateBounds) {
    super(scope)
    this.#bounds = bounds
  }

  override evaluate(statement: unknown, scope: Scope): Value {
    this.#spend(1)
    const result = super.evaluate(statement, scope)
    if (typeof result.value === 'string') this.#checkText(result.value.length)
    else if (isContainer(result)) this.#weigh(result, 0)
    return result
  }

  #spend(steps: number): void {
    this.#steps += steps
    if (this.#steps > this.#bounds.steps) throw exceeded('steps of work', this.#bounds.steps)
  }

  #checkText(length: number): void {
    if (length > this.#bounds.characters) throw exceeded('characters in one text', this.#bounds.characters)
    this.#spend(length >> 8)
  }

  /**
   * Counts what a walk through the value would visit: a list of lists that share their items doubles with every level
   * without taking memory, and would never end when written as JSON. Namespaces are mutable, so what holds one is
   * counted anew each time; the counting itself is work that is paid for.
   */
  #weigh(value: Value, above: number): { weight: number; settled: boolean } {
    const known = this.#weights.get(value)
    if (known !== undefined) {
      this.#checkItems(above + known)
      return { weight: known, settled: true }
    }
    let weight = 1
    let settled = value.type !== 'NamespaceValue'
    for (const child of (value.value as Value[] | Map<string, Value>).values()) {
      weight++
      this.#spend(1)
      this.#checkItems(above + weight)
      if (!isContainer(child)) continue
      const inner = this.#weigh(child, above + weight)
      weight += inner.weight
      settled &&= inner.settled
    }
    if (settled) this.#weights.set(value, weight)
    return { weight, settled }
  }

  #checkItems(items: number): void {
    if (items > this.#bounds.items) throw exceeded('items in one value', this.#bounds.items)
  }
}

function isContainer(value: Value): boolean {
  return Array.isArray(value.value) || value.value instanceof Map
}

function exceeded(what: string, bound: number): TemplateError {
  return new TemplateError(`the chat template needs more than ${bound} ${what}; it does not come to an end in time`)
}
