import { Fault, typeError } from '../errors.ts'
import { filters } from '../filters/index.ts'
import { tests } from '../filters/tests.ts'
import { str } from '../format/print.ts'
import type { Arguments, Comparison, Expression, FilterNode, TestNode } from '../syntax/ast.ts'
import { call, getAttribute, getItem } from '../values/attributes.ts'
import { compare, contains, equal, makeDict } from '../values/compare.ts'
import { textOf, toItems, truthy, typeName } from '../values/inspect.ts'
import { Dict, type Kwargs, List, NO_KWARGS, orElse, Tuple, type Value } from '../values/objects.ts'
import { binary, join, unary } from '../values/operators.ts'
import { slice } from '../values/slice.ts'
import { quotedName, undefinedBecause, undefinedName } from '../values/undefined.ts'
import type { Work } from '../work.ts'
import { type Frame, reach } from './frame.ts'
import type { Activation, Run } from './run.ts'

/** A compiled expression. */
export type Eval = (run: Run, at: Activation) => Value

export function compileExpression(node: Expression, frame: Frame): Eval {
  const evaluate = compileNode(node, frame)
  const { scope } = frame.symbols
  scope.depth = Math.max(scope.depth, frame.nesting + node.depth)
  return evaluate
}

function compileAll(nodes: readonly Expression[], frame: Frame): Eval[] {
  return nodes.map(node => compileNode(node, frame))
}

function compileNode(node: Expression, frame: Frame): Eval {
  switch (node.kind) {
    case 'constant': {
      const { value } = node
      return () => value
    }
    case 'name':
      return compileName(node.name, frame)
    case 'list':
    case 'tuple': {
      const items = compileAll(node.items, frame)
      const make = node.kind === 'list' ? (all: Value[]) => new List(all) : (all: Value[]) => new Tuple(all)
      return (run, at) => {
        run.work.makeItems(items.length)
        return make(items.map(item => item(run, at)))
      }
    }
    case 'dict': {
      const pairs = node.pairs.map(pair => compileAll(pair, frame) as [Eval, Eval])
      return (run, at) =>
        makeDict(
          run.work,
          pairs.map(([key, value]) => [key(run, at), value(run, at)] as const),
        )
    }
    case 'attribute': {
      const of = compileNode(node.of, frame)
      const { name } = node
      return (run, at) => {
        run.work.spend(1)
        return getAttribute(run.work, of(run, at), name)
      }
    }
    case 'item': {
      const [of, key] = compileAll([node.of, node.key], frame) as [Eval, Eval]
      return (run, at) => {
        run.work.spend(1)
        return getItem(run.work, of(run, at), key(run, at))
      }
    }
    case 'slice': {
      const of = compileNode(node.of, frame)
      const bounds = [node.start, node.stop, node.step].map(part =>
        part === undefined ? () => null : compileNode(part, frame),
      )
      return (run, at) => {
        const value = of(run, at)
        const [start, stop, step] = bounds.map(bound => bound(run, at)) as [Value, Value, Value]
        return slice(run.work, value, { start, stop, step })
      }
    }
    case 'call': {
      const of = compileNode(node.of, frame)
      const given = compileArguments(node.arguments, frame)
      const { line } = node
      return (run, at) => {
        const callee = of(run, at)
        const [args, kwargs] = given(run, at)
        run.line = line
        return call(run.work, callee, args, kwargs)
      }
    }
    case 'filter':
      return compileFilter(node, frame, compileNode(node.of!, frame))
    case 'test':
      return compileTest(node, frame)
    case 'unary': {
      const of = compileNode(node.of, frame)
      const { op } = node
      if (op === 'not') return (run, at) => !truthy(of(run, at))
      return (run, at) => unary(op, of(run, at))
    }
    case 'binary': {
      const [left, right] = compileAll([node.left, node.right], frame) as [Eval, Eval]
      const { op } = node
      return (run, at) => {
        run.work.spend(1)
        return binary(run.work, op, left(run, at), right(run, at))
      }
    }
    case 'concat': {
      const parts = compileAll(node.parts, frame)
      return (run, at) => {
        let text = ''
        for (const value of parts.map(part => part(run, at))) text = join(run.work, text, str(run.work, value))
        run.work.spend(parts.length)
        return text
      }
    }
    case 'compare':
      return compileComparison(node.first, node.rest, frame)
    case 'and': {
      const [left, right] = compileAll([node.left, node.right], frame) as [Eval, Eval]
      return (run, at) => {
        const value = left(run, at)
        return truthy(value) ? right(run, at) : value
      }
    }
    case 'or': {
      const [left, right] = compileAll([node.left, node.right], frame) as [Eval, Eval]
      return (run, at) => {
        const value = left(run, at)
        return truthy(value) ? value : right(run, at)
      }
    }
    case 'conditional': {
      const soft = { ...frame, soft: true }
      const [test, then] = compileAll([node.test, node.value], soft) as [Eval, Eval]
      const otherwise = node.otherwise === undefined ? undefined : compileNode(node.otherwise, soft)
      const message = `the inline if-expression on line ${node.line} evaluated to false and no else section was defined.`
      return (run, at) => {
        if (truthy(test(run, at))) return then(run, at)
        return otherwise === undefined ? undefinedBecause(message) : otherwise(run, at)
      }
    }
  }
}

function compileName(name: string, frame: Frame): Eval {
  const ref = frame.symbols.find(name)
  if (ref === undefined) return run => orElse(run.variables.get(name), () => undefinedName(name))
  const { slot } = ref
  if (ref.scope === frame.symbols.scope) {
    return (run, at) => {
      run.work.spend(1)
      const value = at.slots[slot]
      return value === undefined ? undefinedName(name) : value
    }
  }
  const holder = reach(frame.symbols.scope, ref)
  return (run, at) => {
    run.work.spend(1)
    return orElse(holder(at).slots[slot], () => undefinedName(name))
  }
}

type Given = (run: Run, at: Activation) => [readonly Value[], Kwargs]

export function compileArguments(node: Arguments, frame: Frame): Given {
  const args = compileAll(node.args, frame)
  const kwargs = node.kwargs.map(([name, value]) => [name, compileNode(value, frame)] as const)
  const moreArgs = node.moreArgs && compileNode(node.moreArgs, frame)
  const moreKwargs = node.moreKwargs && compileNode(node.moreKwargs, frame)
  if (kwargs.length === 0 && moreArgs === undefined && moreKwargs === undefined) {
    return (run, at) => [args.map(arg => arg(run, at)), NO_KWARGS]
  }
  return (run, at) => {
    const positional = args.map(arg => arg(run, at))
    const named = new Map<string, Value>(kwargs.map(([name, value]) => [name, value(run, at)]))
    const more = moreArgs === undefined ? [] : toItems(run.work, moreArgs(run, at))
    if (moreKwargs !== undefined) addKwargs(named, moreKwargs(run, at))
    return [more.length === 0 ? positional : [...positional, ...more], named]
  }
}

function addKwargs(named: Map<string, Value>, more: Value): void {
  if (!(more instanceof Dict)) throw typeError(`argument after ** must be a mapping, not ${typeName(more)}`)
  for (const [key, value] of more.entries.values()) {
    const name = textOf(key)
    if (name === undefined) throw typeError('keywords must be strings')
    if (named.has(name)) throw typeError(`got multiple values for keyword argument ${quotedName(name)}`)
    named.set(name, value)
  }
}

/** Unknown filters and tests are found when the template is compiled, except inside an if. */
function checkKnown(
  kind: 'filter' | 'test',
  known: ReadonlyMap<string, unknown>,
  node: FilterNode | TestNode,
  frame: Frame,
) {
  if (known.has(node.name) || frame.soft) return
  throw new Fault('TemplateSyntaxError', `No ${kind} named ${quotedName(node.name)}.`, node.line)
}

/** A filter over what `of` gives. */
export function compileFilter(node: FilterNode, frame: Frame, of: Eval): Eval {
  checkKnown('filter', filters, node, frame)
  const given = compileArguments(node.arguments, frame)
  const { name, line } = node
  return (run, at) => {
    const value = of(run, at)
    const [args, kwargs] = given(run, at)
    run.line = line
    return run.filter(name, value, args, kwargs)
  }
}

function compileTest(node: TestNode, frame: Frame): Eval {
  checkKnown('test', tests, node, frame)
  const of = compileNode(node.of, frame)
  const given = compileArguments(node.arguments, frame)
  const { name } = node
  return (run, at) => {
    const value = of(run, at)
    const [args, kwargs] = given(run, at)
    return run.test(name, value, args, kwargs)
  }
}

function compileComparison(
  first: Expression,
  rest: readonly (readonly [Comparison, Expression])[],
  frame: Frame,
): Eval {
  const start = compileNode(first, frame)
  const steps = rest.map(([op, part]) => [op, compileNode(part, frame)] as const)
  return (run, at) => {
    run.work.spend(1)
    let left = start(run, at)
    for (const [op, part] of steps) {
      const right = part(run, at)
      if (!holds(run.work, op, left, right)) return false
      left = right
    }
    return true
  }
}

function holds(work: Work, op: Comparison, a: Value, b: Value): boolean {
  switch (op) {
    case '==':
      return equal(work, a, b)
    case '!=':
      return !equal(work, a, b)
    case 'in':
      return contains(work, b, a)
    case 'not in':
      return !contains(work, b, a)
    case '<':
      return compare(work, a, b, op) < 0
    case '<=':
      return compare(work, a, b, op) <= 0
    case '>':
      return compare(work, a, b, op) > 0
    case '>=':
      return compare(work, a, b, op) >= 0
  }
}
