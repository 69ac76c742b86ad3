/** The statement `for`, with `else`, filters, recursion and the variable `loop`, into a function. */
import type { For } from '../syntax/ast.ts'
import { assigns, eachName, namesRead } from '../syntax/names.ts'
import { syntaxError } from '../syntax/tokens.ts'
import { iter, lengthOf, truthy } from '../values/inspect.ts'
import { Loop } from '../values/loop.ts'
import { Iter, type Value } from '../values/objects.ts'
import { type Assign, type CompileBody, capture, compileAssignment, type Exec, type Signal } from './exec.ts'
import { compileExpression } from './expressions.ts'
import { enterFrame, type Frame, functionFrame, innerFrame, leaveFrame } from './frame.ts'
import { Activation, type Run } from './run.ts'
import { FunctionScope } from './symbols.ts'

export function compileFor(node: For, frame: Frame, compileBody: CompileBody): Exec {
  if (assigns([node], 'loop')) {
    throw syntaxError("Can't assign to special loop variable in for-loop target", node.line)
  }
  const over = compileExpression(node.over, frame)
  if (!node.recursive) {
    const loop = compileLoop(node, frame, innerFrame(frame, true), compileBody)
    return (run, at) => loop(run, at, over(run, at), 0)
  }
  const inner = functionFrame(frame, true)
  const loop = compileLoop(node, frame, inner, compileBody)
  const { scope } = inner.symbols
  return (run, at) => {
    const again = (iterable: Value, depth: number): Value => {
      run.work.enter(scope.depth)
      const [, text] = capture(run, () => loop(run, new Activation(scope, at), iterable, depth, again))
      run.work.leave(scope.depth)
      return text
    }
    run.write(again(over(run, at), 0) as string)
    return undefined
  }
}

type RunLoop = (run: Run, at: Activation, iterable: Value, depth: number, recurse?: Loop['recurse']) => Signal

function compileLoop(node: For, outer: Frame, frame: Frame, compileBody: CompileBody): RunLoop {
  const extended = node.recursive || namesRead(node.body).has('loop')
  if (extended) frame.symbols.parameter('loop')
  frame.symbols.parameters(node.target)
  frame.symbols.visit(node.body)
  const loopSlot = extended ? frame.symbols.find('loop')!.slot : undefined
  const assign = compileAssignment(node.target, frame)
  const body = compileBody(node.body, frame)
  // The else branch runs in the same function as the loop, and outside of it.
  const elseFrame = innerFrame(outer, outer.looping && !node.recursive, frame.symbols.scope)
  elseFrame.symbols.visit(node.otherwise)
  const otherwise = node.otherwise.length === 0 ? undefined : compileBody(node.otherwise, elseFrame)
  const enterElse = enterFrame(elseFrame)
  const filter = node.test === undefined ? undefined : compileLoopFilter(node, outer, frame)
  const enter = enterFrame(frame)
  const leave = leaveFrame(frame)
  return (run, at, iterable, depth, recurse) => {
    const source = filter === undefined ? iterable : filter(run, at, iterable)
    const items = iter(run.work, source)
    const loop = loopSlot === undefined ? undefined : new Loop(items.next, lengthOf(run.work, source), depth, recurse)
    const next = loop === undefined ? items.next : () => loop.advance()
    let empty = true
    for (let item = next(); item !== undefined; item = next()) {
      assign(run, at, item)
      if (loop !== undefined) at.slots[loopSlot!] = loop
      enter(run, at)
      // Python counts an iteration that was continued or broken as none.
      const signal = body(run, at)
      if (signal === 'break') break
      if (signal === undefined) empty = false
    }
    leave(run, at)
    if (!empty || otherwise === undefined) return undefined
    enterElse(run, at)
    return otherwise(run, at)
  }
}

/** The items of a loop that pass its `if`. */
function compileLoopFilter(node: For, outer: Frame, loop: Frame): (run: Run, at: Activation, iterable: Value) => Value {
  const frame = innerFrame(outer, false, new FunctionScope(loop.symbols.scope))
  frame.symbols.parameters(node.target)
  eachName(node.test, name => frame.symbols.load(name))
  const assign: Assign = compileAssignment(node.target, frame)
  const test = compileExpression(node.test!, frame)
  const enter = enterFrame(frame)
  return (run, at, iterable) => {
    const inside = new Activation(frame.symbols.scope, at)
    let items: Iter | undefined
    return new Iter('generator', () => {
      if (items === undefined) {
        enter(run, inside)
        items = iter(run.work, iterable)
      }
      for (let item = items.next(); item !== undefined; item = items.next()) {
        assign(run, inside, item)
        if (truthy(test(run, inside))) return item
      }
      return undefined
    })
  }
}
