import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'
import { TemplateError } from './errors.ts'

/** A value of the template engine, as far as it is looked at here. */
interface Value {
  readonly type: string
  readonly value: unknown
}

/** A node of the parsed template. */
interface Node {
  readonly type: string
  readonly filter?: { readonly value?: string }
  readonly property?: { readonly type: string }
}

/** The engine's declarations import without extensions, which nodenext resolves to `any`: these say what is used. */
interface Scope {
  readonly variables: Map<string, unknown>
  set(name: string, value: unknown): unknown
}
declare class BaseInterpreter {
  constructor(scope: Scope)
  run(program: unknown): Value
  evaluate(statement: Node, scope: Scope): Value
}
const JinjaInterpreter = Interpreter as typeof BaseInterpreter

export interface TemplateBounds {
  /** Work. A step takes up to 5 microseconds. */
  readonly steps: number
  /** Longest text, in UTF-16 units. */
  readonly characters: number
  /** Most items in a list or mapping, those inside it included. */
  readonly items: number
}

/**
 * A chat template is a program that came with a checkpoint. These bounds lie far above what published templates need
 * for a full context (test/tokenizer/hostile-templates.test.ts says how far) and end a hostile one within seconds.
 */
export const TEMPLATE_BOUNDS: TemplateBounds = { steps: 2_000_000, characters: 1 << 23, items: 200_000 }

/** In UTF-16 units. The longest published templates have about 40,000. */
const MAX_SOURCE = 1 << 18
/** The engine's first pass takes time that is quadratic in this. */
const MAX_BLANKS = 1000

export type Program = { readonly parsed: unknown }

export function parseTemplate(source: string): Program {
  if (source.length > MAX_SOURCE) {
    throw new TemplateError(`the chat template has ${source.length} characters; expected at most ${MAX_SOURCE}`)
  }
  if (longestBlank(source) > MAX_BLANKS) {
    throw new TemplateError(`the chat template has more than ${MAX_BLANKS} blanks in a row`)
  }
  return { parsed: parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })) }
}

function longestBlank(source: string): number {
  let longest = 0
  for (const [run] of source.matchAll(/\s+/g)) longest = Math.max(longest, run.length)
  return longest
}

export interface Rendered {
  readonly text: string
  /** Steps of work it took. */
  readonly steps: number
}

/** Runs a template with these variables. Errors of the engine come through as they are. */
export function runTemplate(program: Program, variables: Record<string, unknown>, bounds = TEMPLATE_BOUNDS): Rendered {
  const scope = new Environment() as Scope
  for (const [name, value] of Object.entries(variables)) {
    scope.variables.delete(name)
    scope.set(name, value)
  }
  const interpreter = new BoundedInterpreter(scope, bounds)
  const text = interpreter.run(program.parsed).value
  return { text: typeof text === 'string' ? text : String(text), steps: interpreter.steps }
}

/** Filters that do not walk through the list they are given. */
const CHEAP_FILTERS = new Set(['length', 'first', 'last', 'list', 'safe', 'items'])
/** These look at their operand without walking through it. */
const CHEAP_NODES = new Set(['MemberExpression', 'TestExpression', 'SelectExpression', 'UnaryExpression', 'Ternary'])

class BoundedInterpreter extends JinjaInterpreter {
  readonly #bounds: TemplateBounds
  /** Items of lists and mappings that cannot change any more. */
  readonly #weights = new WeakMap<object, number>()
  /** The node whose part is being evaluated: it says what will be done with the result. */
  #user: Node | undefined
  steps = 0

  constructor(scope: Scope, bounds: TemplateBounds) {
    super(scope)
    this.#bounds = bounds
  }

  override evaluate(statement: Node, scope: Scope): Value {
    this.#spend(1)
    const user = this.#user
    this.#user = statement
    const result = super.evaluate(statement, scope)
    // Not in a `finally`: an error ends the run, and {% break %} is caught by a For, which evaluates nothing after it.
    this.#user = user
    if (typeof result?.value === 'string') this.#checkText(result.value.length, user)
    else if (isContainer(result)) this.#spend(useOf(result, user) * this.#weigh(result, 0).weight)
    return result
  }

  #spend(steps: number): void {
    this.steps += steps
    if (this.steps > this.#bounds.steps) throw exceeded('steps of work', this.#bounds.steps)
  }

  #checkText(length: number, user: Node | undefined): void {
    if (length > this.#bounds.characters) throw exceeded('characters in one text', this.#bounds.characters)
    // To slice a text the engine makes a list of its characters first.
    this.#spend(user?.property?.type === 'SliceExpression' ? length >> 4 : length >> 8)
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

/** Steps per item that the using node will take with this list or mapping. */
function useOf(value: Value, user: Node | undefined): number {
  if (user === undefined || CHEAP_NODES.has(user.type)) return 0
  if (user.type === 'For') return 4
  if (user.type === 'BinaryExpression') return value.type === 'ArrayValue' ? 1 : 0
  if (user.type === 'FilterExpression') {
    const filter = user.filter?.value
    return filter !== undefined && CHEAP_FILTERS.has(filter) ? 0 : 1
  }
  return 1
}

function isContainer(value: Value | undefined): value is Value {
  return Array.isArray(value?.value) || value?.value instanceof Map
}

function exceeded(what: string, bound: number): TemplateError {
  return new TemplateError(`the chat template needs more than ${bound} ${what}; latentkit stops it there`)
}
