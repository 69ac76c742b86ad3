import { Fault } from '../errors.ts'
import type { Host } from '../filters/host.ts'
import { filters } from '../filters/index.ts'
import { tests } from '../filters/tests.ts'
import type { Kwargs, Value } from '../values/objects.ts'
import { join } from '../values/operators.ts'
import { quotedName } from '../values/undefined.ts'
import type { Work } from '../work.ts'
import type { FunctionScope } from './symbols.ts'

/** One rendering of a template. */
export class Run implements Host {
  readonly work: Work
  /** The template's variables: those given, and those assigned outside all blocks. */
  readonly variables: Map<string, Value>
  /** What has been written so far, inside the innermost block that captures. */
  out = ''
  /** Line of the statement or call being executed. */
  line = 1

  constructor(work: Work, variables: Map<string, Value>) {
    this.work = work
    this.variables = variables
  }

  write(text: string): void {
    this.work.spend(1)
    this.out = join(this.work, this.out, text)
  }

  filter(name: string, value: Value, args: readonly Value[], kwargs: Kwargs): Value {
    const filter = filters.get(name)
    if (filter === undefined) throw new Fault('TemplateRuntimeError', `No filter named ${quotedName(name)}.`)
    this.work.spend(2)
    return filter(this, value, args, kwargs)
  }

  test(name: string, value: Value, args: readonly Value[], kwargs: Kwargs): boolean {
    const test = tests.get(name)
    if (test === undefined) throw new Fault('TemplateRuntimeError', `No test named ${quotedName(name)}.`)
    this.work.spend(1)
    return test(this, value, args, kwargs)
  }
}

/** The variables of one call of a function of the template. */
export class Activation {
  readonly scope: FunctionScope
  readonly parent: Activation | undefined
  readonly slots: (Value | undefined)[] = []

  constructor(scope: FunctionScope, parent?: Activation) {
    this.scope = scope
    this.parent = parent
  }
}
