/** Every statement but `for` into a function, and bodies of several. */
import { valueError } from '../errors.ts'
import { str } from '../format/print.ts'
import type { Body, If, SetBlock, Statement, With } from '../syntax/ast.ts'
import { syntaxError } from '../syntax/tokens.ts'
import { truthy } from '../values/inspect.ts'
import type { Value } from '../values/objects.ts'
import { capture, compileAssignment, type Exec } from './exec.ts'
import { compileExpression, compileFilter, type Eval } from './expressions.ts'
import { compileFor } from './for.ts'
import { enterFrame, type Frame, innerFrame, leaveFrame } from './frame.ts'
import { compileCallBlock, compileCapture, compileMacro } from './macro.ts'
import type { Activation, Run } from './run.ts'

export function compileBody(body: Body, frame: Frame): Exec {
  const steps = body.map(node => compileStatement(node, frame))
  if (steps.length === 1) return steps[0]!
  return (run, at) => {
    for (const step of steps) {
      const signal = step(run, at)
      if (signal !== undefined) return signal
    }
    return undefined
  }
}

/** A body that runs in a frame of its own. */
function compileScope(body: Body, frame: Frame): Exec {
  const inner = innerFrame(frame)
  inner.symbols.visit(body)
  return withFrame(inner, compileBody(body, inner))
}

function withFrame(frame: Frame, exec: Exec): Exec {
  const enter = enterFrame(frame)
  const leave = leaveFrame(frame)
  return (run, at) => {
    enter(run, at)
    const signal = exec(run, at)
    leave(run, at)
    return signal
  }
}

function compileStatement(node: Statement, frame: Frame): Exec {
  const exec = compileKind(node, { ...frame, nesting: frame.nesting + 1 })
  const { line } = node
  return (run, at) => {
    run.line = line
    run.work.spend(1)
    return exec(run, at)
  }
}

function compileKind(node: Statement, frame: Frame): Exec {
  switch (node.kind) {
    case 'text': {
      const { text } = node
      return run => void run.write(text)
    }
    case 'print': {
      const value = compileExpression(node.value, frame)
      return (run, at) => void run.write(str(run.work, value(run, at)))
    }
    case 'set': {
      const value = compileExpression(node.value, frame)
      const assign = compileAssignment(node.target, frame)
      return (run, at) => void assign(run, at, value(run, at))
    }
    case 'set block':
      return compileSetBlock(node, frame)
    case 'if':
      return compileIf(node, frame)
    case 'for':
      return compileFor(node, frame, compileBody)
    case 'with':
      return compileWith(node, frame)
    case 'macro':
      return compileMacro(node, frame, compileBody)
    case 'call block':
      return compileCallBlock(node, frame, compileBody)
    case 'capture':
      return compileCapture(node.body, frame, compileBody)
    case 'filter block': {
      const inner = innerFrame(frame)
      inner.symbols.visit([...node.body, node])
      const body = compileBody(node.body, inner)
      const filtered = compileFilters(node.filter, inner)
      return withFrame(inner, (run, at) => {
        const [signal, text] = capture(run, () => body(run, at))
        if (signal === undefined) run.write(str(run.work, filtered(run, at, text)))
        return signal
      })
    }
    case 'scope':
      return compileScope(node.body, frame)
    case 'autoescape': {
      const on = compileExpression(node.on, frame)
      const body = compileScope(node.body, frame)
      return (run, at) => {
        if (truthy(on(run, at))) throw valueError('autoescape is off in chat templates; latentkit does not turn it on')
        return body(run, at)
      }
    }
    case 'break':
    case 'continue': {
      if (!frame.looping) {
        const what = node.kind === 'break' ? "'break' outside loop" : "'continue' not properly in loop"
        throw syntaxError(what, node.line)
      }
      const signal = node.kind
      return () => signal
    }
  }
}

/** The filters of a block, over its text. */
function compileFilters(node: SetBlock['filter'], frame: Frame): (run: Run, at: Activation, text: string) => Value {
  if (node === undefined) return (_, __, text) => text
  // The innermost filter has no operand: it receives the block's text through this variable.
  let text = ''
  const build = (filter: NonNullable<SetBlock['filter']>): Eval =>
    compileFilter(filter, frame, filter.of === undefined ? () => text : build(filter.of as typeof filter))
  const filtered = build(node)
  return (run, at, given) => {
    text = given
    return filtered(run, at)
  }
}

function compileSetBlock(node: SetBlock, frame: Frame): Exec {
  const inner = innerFrame(frame)
  const filterNode: readonly Statement[] =
    node.filter === undefined ? [] : [{ kind: 'filter block', filter: node.filter, body: [], line: node.line }]
  inner.symbols.visit([...node.body, ...filterNode])
  const body = compileBody(node.body, inner)
  const filtered = compileFilters(node.filter, inner)
  const assign = compileAssignment(node.target, frame)
  const enter = enterFrame(inner)
  const leave = leaveFrame(inner)
  return (run, at) => {
    enter(run, at)
    const [signal, text] = capture(run, () => body(run, at))
    if (signal === undefined) assign(run, at, filtered(run, at, text))
    leave(run, at)
    return signal
  }
}

function compileIf(node: If, frame: Frame): Exec {
  const soft = { ...frame, soft: true }
  const branches = node.branches.map(({ test, body }) => ({
    test: compileExpression(test, soft),
    exec: compileBody(body, soft),
  }))
  const otherwise = compileBody(node.otherwise, soft)
  return (run, at) => {
    for (const { test, exec } of branches) if (truthy(test(run, at))) return exec(run, at)
    return otherwise(run, at)
  }
}

function compileWith(node: With, frame: Frame): Exec {
  const inner = innerFrame(frame)
  for (const [target] of node.targets) inner.symbols.parameters(target)
  inner.symbols.visit(node.body)
  const assigns = node.targets.map(
    ([target, value]) => [compileAssignment(target, inner), compileExpression(value, frame)] as const,
  )
  const body = compileBody(node.body, inner)
  const enter = enterFrame(inner)
  const leave = leaveFrame(inner)
  return (run, at) => {
    enter(run, at)
    for (const [assign, value] of assigns) assign(run, at, value(run, at))
    const signal = body(run, at)
    leave(run, at)
    return signal
  }
}
