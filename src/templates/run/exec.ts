import { typeError, valueError } from '../errors.ts'
import type { Body, Target } from '../syntax/ast.ts'
import { iterate, namespaceOf, typeName } from '../values/inspect.ts'
import { checkFieldName } from '../values/namespace.ts'
import type { Value } from '../values/objects.ts'
import { type Frame, reach } from './frame.ts'
import type { Activation, Run } from './run.ts'

/** How a statement ended: normally (undefined), or with `break` or `continue`. */
export type Signal = 'break' | 'continue' | undefined

/** A compiled statement. */
export type Exec = (run: Run, at: Activation) => Signal

/** Compiles the statements of a body: handed to the parts that have one. */
export type CompileBody = (body: Body, frame: Frame) => Exec

/** What `work` writes, instead of writing it. */
export function capture<T>(run: Run, work: () => T): [T, string] {
  const before = run.out
  run.out = ''
  const result = work()
  const text = run.out
  run.out = before
  return [result, text]
}

export type Assign = (run: Run, at: Activation, value: Value) => void

export function compileAssignment(target: Target, frame: Frame): Assign {
  if (target.kind === 'tuple') return compileUnpacking(target.items, frame)
  const ref = frame.symbols.find(target.name)!
  const { name } = target
  if (target.kind === 'field') {
    const holder = reach(frame.symbols.scope, ref)
    const { field } = target
    return (run, at, value) => {
      const namespace = namespaceOf(holder(at).slots[ref.slot] ?? null)
      checkFieldName(field)
      namespace.attributes.set(field, value)
      run.work.spend(1)
    }
  }
  const { slot } = ref
  if (!frame.top) {
    return (_, at, value) => {
      at.slots[slot] = value
    }
  }
  return (run, at, value) => {
    at.slots[slot] = value
    run.variables.set(name, value)
  }
}

function compileUnpacking(targets: readonly Target[], frame: Frame): Assign {
  const assigns = targets.map(target => compileAssignment(target, frame))
  return (run, at, value) => {
    const source = iterate(run.work, value)
    if (source === undefined) throw typeError(`cannot unpack non-iterable ${typeName(value)} object`)
    const items: Value[] = []
    for (let item = source.next(); item !== undefined; item = source.next()) {
      items.push(item)
      if (items.length > assigns.length) throw valueError(`too many values to unpack (expected ${assigns.length})`)
    }
    if (items.length < assigns.length) {
      throw valueError(`not enough values to unpack (expected ${assigns.length}, got ${items.length})`)
    }
    assigns.forEach((assign, i) => {
      assign(run, at, items[i]!)
    })
  }
}
